"""What can go wrong with the local chain; every message says what failed, the observed value, the next command."""

from __future__ import annotations

import os


class ChainError(Exception):
    """Root of the errors that end the chain service or a command; str() is meant for the user."""


class SettingsError(ChainError):
    """An environment variable holds what cannot be used."""


class DamagedStateError(ChainError):
    """anvil cannot read the state file; nothing but starting anew helps."""


class AnvilError(ChainError):
    """anvil did not start, or ended by itself."""


class RpcUnreachableError(ChainError):
    """Nothing answered at the chain's JSON-RPC address."""


class RpcRefusedError(ChainError):
    """The chain answered with an error or with something that is no answer."""


class ConfigMissingError(ChainError):
    """chain.json is not there or does not parse: the chain was never ready on this volume."""


def start_anew() -> str:
    """How to begin with a new chain, as advice within a message.

    compose tells the container the command. Within the appliance it must be one that leaves the wallets of other
    networks alone, which lie in the same volume as the devnet's.
    """
    command = os.environ.get("START_ANEW") or "make devnet-reset"
    return f"{command}, then start it as before (play money, wallet and running clusters are lost)"
