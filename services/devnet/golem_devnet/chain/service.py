"""The chain container's life: anvil up, token there, files written, wallet paid, until told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from golem_devnet.chain.anvil import Anvil, command
from golem_devnet.chain.config import ChainFacts, publish
from golem_devnet.chain.errors import ChainError
from golem_devnet.chain.rpc import HttpRpc
from golem_devnet.chain.settings import CHAIN_ID, PORT, Settings
from golem_devnet.chain.token import find_or_deploy
from golem_devnet.chain.wallet import WalletWatch

log = logging.getLogger(__name__)

LOCAL_RPC = f"http://127.0.0.1:{PORT}"
_LOOK_EVERY = 0.5
_REFUSALS = 20


def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises ChainError for what the user must know."""
    stop = threading.Event()

    def request_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, request_stop)
    anvil = Anvil.start(command(settings.anvil, settings.state_file, PORT, CHAIN_ID), settings.state_file)
    try:
        rpc = HttpRpc(LOCAL_RPC)
        anvil.wait_ready(rpc, CHAIN_ID)
        token = find_or_deploy(rpc)
        publish(settings.config_dir, ChainFacts(settings.published_rpc, CHAIN_ID, token.address))
        log.info("chain %s ready at %s, GLM %s", CHAIN_ID, settings.published_rpc, token.address)
        watch = WalletWatch(token, settings.wallet_file, settings.wallet_glm, settings.wallet_gas)
        _watch_until(stop, anvil, watch)
    finally:
        anvil.stop()
    log.info("chain stopped, state kept in %s", settings.state_file)


def _watch_until(stop: threading.Event, anvil: Anvil, watch: WalletWatch) -> None:
    """Look at the wallet file until told to stop; raises the chain's error after 20 refusals in a row."""
    refusals = 0
    while not stop.wait(_LOOK_EVERY):
        anvil.check_alive()
        try:
            watch.look()
            refusals = 0
        except ChainError as error:
            refusals += 1
            log.warning("funding the wallet failed (%d of %d): %s", refusals, _REFUSALS, error)
            if refusals == _REFUSALS:
                raise
