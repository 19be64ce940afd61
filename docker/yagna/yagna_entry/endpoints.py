"""The proof that the devnet's daemon can reach the local chain and no other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .advice import compose
from .errors import StartError


def check_only_endpoint(document: str, network: str, expected: str) -> None:
    """Judge the output of ``yagna payment driver rpc --network NETWORK --json`` (yagna 0.17.6).

    Raises StartError unless there is exactly one endpoint, ``expected``, on exactly this network, and no
    source (DNS or JSON) from which further ones could come.
    """
    try:
        parsed = json.loads(document)
        endpoints = {
            name: [entry["params"]["endpoint"] for entry in entries]
            for name, entries in _section(parsed["endpoints"]).items()
        }
        sources = [
            f"{name} {kind} {entries}"
            for name, kinds in _section(parsed["sources"]).items()
            for kind, entries in _section(kinds).items()
            if entries != []
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise _refusal(network, expected, f"yagna's list of endpoints is not understood ({error!r})") from error
    if endpoints != {network: [expected]}:
        raise _refusal(network, expected, f"yagna has {endpoints}")
    if sources:
        raise _refusal(network, expected, f"yagna looks for more: {', '.join(sources)}")


def _section(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no object")
    return value


def _refusal(network: str, expected: str, observed: str) -> StartError:
    return StartError(
        f"on the devnet the only payment endpoint must be {expected} for {network} — {observed} — unset variables "
        f"such as HOODI_GETH_ADDR, then {compose('rm --stop --force yagna')}, and start it as before"
    )
