"""What the running bridge exposes to Prometheus."""

from __future__ import annotations

import urllib.request

from appliance.settings import Settings


def exposed(settings: Settings) -> str:
    """The body of its /metrics now."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{settings.ports.bridge}/metrics",
        headers={"Authorization": f"Bearer {settings.token_file.read_text(encoding='utf-8').strip()}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())
