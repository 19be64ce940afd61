"""What must be there before a daemon may start on the devnet."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from .advice import logs
from .errors import StartError
from .files import write_atomically
from .waiting import Patience, Wish

PAYMENTS_FILE = "config-payments.toml"
_CONNECT_LIMIT = 2.0

_LIMIT = 180.0


def install_payment_config(patience: Patience, chain_dir: Path, data_dir: Path) -> str:
    """Wait for the chain's files and copy the payment configuration into the data folder.

    Returns the JSON-RPC address it must lead to. Without the file yagna 0.17.6 silently goes on with its
    built-in configuration, which is the public test network.
    """
    source = chain_dir / PAYMENTS_FILE

    def written() -> str | None:
        return None if source.exists() else f"{source} does not exist"

    patience.until(Wish("payment configuration from the local chain", _LIMIT, logs("chain")), written)
    try:
        write_atomically(data_dir / PAYMENTS_FILE, source.read_text("utf-8"))
        return str(json.loads((chain_dir / "chain.json").read_text("utf-8"))["rpc"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(
            f"the local chain's files are not usable — {chain_dir}: {error!r} — {logs('chain')}"
        ) from error


def remove_payment_config(data_dir: Path) -> None:
    """On public networks yagna's built-in configuration counts."""
    (data_dir / PAYMENTS_FILE).unlink(missing_ok=True)


def await_hub(patience: Patience, hub: str) -> None:
    """Until the hub's port takes a connection.

    A daemon started earlier would retry after 2, 4, 8 ... seconds and not answer meanwhile.
    """
    host, port = split_hub(hub)

    def listening() -> str | None:
        try:
            with socket.create_connection((host, port), timeout=_CONNECT_LIMIT):
                return None
        except OSError as error:
            return f"{hub}: {error}"

    patience.until(Wish("hub of the devnet", _LIMIT, logs("devnet")), listening)


def split_hub(hub: str) -> tuple[str, int]:
    """host and port; raises StartError for a port that yagna's hub address pattern does not take."""
    host, _, port = hub.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= 9999:
        raise StartError(f"GOLEM_HUB must be host:port with a port of at most 4 digits — it is {hub!r}")
    return host, int(port)
