"""Where this code runs, and how the bridge is reached from there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray_on_golem.errors import RayOnGolemError

DEFAULT_PORT = 4578
HEAD_PORT = 4578
"""Inside the head, the reverse tunnel ends on this port of the loopback."""

TOKEN_VARIABLE = "RAY_ON_GOLEM_TOKEN_FILE"  # noqa: S105 - the name, not the token
PORT_FILE = "bridge-port"
TOKEN_IN_APPLIANCE = Path("run") / "bridge-token"


@dataclass(frozen=True)
class Place:
    """``token_file`` is None on the head, whose door knows it without a token."""

    port: int
    token_file: Path | None

    @property
    def is_head(self) -> bool:
        return self.token_file is None

    def token(self) -> str | None:
        """Raises RayOnGolemError if the file cannot be read."""
        if self.token_file is None:
            return None
        try:
            return self.token_file.read_text(encoding="utf-8").strip()
        except PermissionError as error:
            raise RayOnGolemError(
                f"Cannot read the bridge's token from {self.token_file} — {error.strerror} — run this as the user who "
                f"started the appliance, or point {TOKEN_VARIABLE} at a copy that you may read"
            ) from error
        except OSError as error:
            raise RayOnGolemError(
                f"Cannot read the bridge's token from {self.token_file} — {error.strerror} — start the appliance "
                f"(make up) and run ray in its folder, or point {TOKEN_VARIABLE} at its {TOKEN_IN_APPLIANCE}"
            ) from error


def on_golem() -> bool:
    """Whether this is a rented node (the bridge sets the variable at bootstrap, as upstream does)."""
    return "ON_GOLEM_NETWORK" in os.environ


def find_place(parameters: Mapping[str, Any]) -> Place:
    """From the provider section's ``parameters``, as written in the yaml or as bootstrapped."""
    if on_golem():
        return Place(HEAD_PORT, None)
    token_file = _token_file(parameters)
    written = parameters.get("webserver_port")
    return Place(written if isinstance(written, int) else published_port(token_file), token_file)


def published_port(token_file: Path) -> int:
    """The bridge's port, as the appliance noted it beside the token; the usual one if it did not."""
    try:
        return int((token_file.parent / PORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return DEFAULT_PORT


def _token_file(parameters: Mapping[str, Any]) -> Path:
    named = os.environ.get(TOKEN_VARIABLE) or parameters.get("token_file")
    if named:
        return Path(named).expanduser().absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if _is_there(folder / TOKEN_IN_APPLIANCE):
            return folder / TOKEN_IN_APPLIANCE
    return here / TOKEN_IN_APPLIANCE


def _is_there(token_file: Path) -> bool:
    """Or is hidden, in a folder of another user's: whoever reads it then says so."""
    try:
        return token_file.exists()
    except PermissionError:
        return True
