"""``python -m golem_devnet faults …``: the switchboard by hand, and for tests through docker compose exec."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE = 60.0
"""Seconds; a restart of yagna takes its time."""


class SwitchboardError(Exception):
    """It refused or did not answer."""


async def ask(socket: Path, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
    """One request. Raises SwitchboardError."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)), timeout=timeout) as session,
            session.request(method, f"http://devnet{path}", json=body) as answer,
        ):
            found = await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise SwitchboardError(f"the switchboard does not answer — {error!r} — does the devnet run?") from error
    if answer.status >= 400:
        raise SwitchboardError(found["error"])
    return found


def run(socket: Path, arguments: Sequence[str]) -> int:
    """Exit code; prints the state of all providers as JSON."""
    try:
        method, path, body = request(arguments)
        print(json.dumps(asyncio.run(ask(socket, method, path, body)), indent=1))
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
