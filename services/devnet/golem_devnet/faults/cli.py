"""``python -m golem_devnet faults …``: the switchboard by hand, and for tests through docker compose exec."""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from golem_devnet.advice import compose

PATIENCE = 60.0
"""Seconds; a restart of yagna takes its time."""


class SwitchboardError(Exception):
    """It refused or did not answer."""


class _Connection(http.client.HTTPConnection):
    """HTTP on a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("devnet", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self._path))


def ask(path: Path, method: str, url: str, body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
    """One request to the switchboard's socket. Raises SwitchboardError."""
    connection = _Connection(path)
    try:
        connection.request(method, url, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        found = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        see = compose("logs devnet")
        raise SwitchboardError(f"the switchboard does not answer — {error!r} — see: {see}") from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise SwitchboardError(found["error"])
    return found


def run(path: Path, arguments: Sequence[str]) -> int:
    """Exit code; prints the state of all providers as JSON."""
    try:
        method, url, body = request(arguments)
        print(json.dumps(ask(path, method, url, body), indent=1))
    except SwitchboardError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def request(arguments: Sequence[str]) -> tuple[str, str, object]:
    """Method, path and body of what the command line asks for. Raises SwitchboardError."""
    chosen = _parser().parse_args(arguments)
    match chosen.command:
        case "set":
            return "PATCH", f"/providers/{chosen.provider}", dict(_pair(text) for text in chosen.faults)
        case "clear":
            return "DELETE", f"/providers/{chosen.provider}" if chosen.provider else "/providers", None
        case "restart":
            return "POST", f"/restart/{chosen.part}", None
        case "show":
            return "GET", "/providers", None
        case action:
            return "POST", f"/providers/{chosen.provider}/{action}", None


def _pair(text: str) -> tuple[str, object]:
    """``name=value``; true, false, null and numbers are what they look like."""
    name, equals, value = text.partition("=")
    if not equals:
        raise SwitchboardError(f"{text!r} is not of the form fault=value")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m golem_devnet faults", description="The devnet's fault switchboard")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("show", help="faults of all providers")
    setting = commands.add_parser(
        "set", help="change a provider's faults, e.g. set alder agreements=refuse deploy_delay=5"
    )
    setting.add_argument("provider")
    setting.add_argument("faults", nargs="+", metavar="fault=value")
    clearing = commands.add_parser("clear", help="honest and present again")
    clearing.add_argument("provider", nargs="?")
    for action, meaning in (
        ("vanish", "kill the provider with its nodes, and leave it dead"),
        ("return", "start it again"),
        ("crash", "kill it; it starts again by itself"),
        ("break", "break the running agreement"),
    ):
        commands.add_parser(action, help=meaning).add_argument("provider")
    restarting = commands.add_parser("restart", help="restart a part of the net")
    restarting.add_argument("part", choices=["hub", "yagna"])
    return parser
