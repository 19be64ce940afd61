"""``make console``: where the console is, with the token in the link. The token is printed, never logged."""

from __future__ import annotations

import urllib.parse

from appliance.bridge import Bridge
from appliance.settings import Settings
from appliance.steps import StepError, Steps

PAGE_DATA = "/v1/clusters"
"""What the page asks for first."""


def console_url(settings: Settings) -> str:
    """The page, without the token it will ask for."""
    return f"http://127.0.0.1:{settings.ports.bridge}/"


def console_link(settings: Settings) -> str:
    """The page with the token in the fragment, which browsers do not send. Raises StepError."""
    try:
        token = settings.token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StepError(
            f"There is no link without the bridge's token — {settings.token_file}: {error.strerror} — "
            "start the appliance: make up"
        ) from error
    return f"{console_url(settings)}#token={urllib.parse.quote(token, safe='')}"


def show_link(_steps: Steps, settings: Settings) -> None:
    """Raises StepError if the appliance was never started, or does not run now."""
    link = console_link(settings)
    Bridge(settings).ask(PAGE_DATA)
    print(link)
