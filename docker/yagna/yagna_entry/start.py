"""The order of a start, from an empty container to a usable daemon."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import rest
from .advice import logs
from .cli import CommandProblem, PaymentCommands
from .daemon import Daemon, command, environment
from .devnet import await_hub, install_payment_config, remove_payment_config
from .endpoints import check_only_endpoint
from .errors import StartError
from .files import write_atomically
from .keys import app_key, identity_secret
from .purse import Purse
from .settings import Network, Settings
from .waiting import Patience, Wish

# Without its relay a hybrid net makes REST wait for up to 100 s.
_REST_WISH = Wish("answer of yagna's REST interface", 180, "see the lines of yagna above")


@dataclass(frozen=True)
class Start:
    """One start of the container."""

    settings: Settings
    inherited: Mapping[str, str]
    stop: threading.Event
    say: Callable[[str], None]

    def run(self) -> int:
        """Start, check, supervise; yagna's exit status. Raises StartError, StopRequested."""
        patience = Patience.interrupted_by(self.stop, self.say)
        self._prepare_folder()
        key = app_key(self.settings.app_key_file)
        secret = identity_secret(self.settings.identity_file)
        endpoint = self._prepare_network(patience)
        made = environment(self.settings, self.inherited, key, secret)
        daemon = Daemon.start(command(self.settings), made)
        try:
            wallet = self._await_rest(patience, daemon, key)
            payments = self._open_payments(patience, daemon, wallet, endpoint)
            purse = Purse(payments, self.settings.balance_file, self.say)
            threading.Thread(target=purse.watch, args=(self.stop,), name="purse", daemon=True).start()
            write_atomically(self.settings.ready_mark, wallet + "\n")
            self.say(f"ready on {self.settings.network.value}, wallet {wallet}")
            return daemon.supervise(self.stop)
        finally:
            self.settings.ready_mark.unlink(missing_ok=True)
            if daemon.process.poll() is None:
                daemon.stop()

    def _prepare_folder(self) -> None:
        folder = self.settings.data_dir
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.settings.ready_mark.unlink(missing_ok=True)
            self.settings.balance_file.unlink(missing_ok=True)  # may be another network's
        except OSError as error:
            raise StartError(
                f"the data folder {folder} is not usable — {error} — the volume yagna-data must belong to uid 10001"
            ) from error

    def _prepare_network(self, patience: Patience) -> str | None:
        """On the devnet: wait for chain and hub; the endpoint that payments must use."""
        if self.settings.network is not Network.DEVNET:
            remove_payment_config(self.settings.data_dir)
            return None
        endpoint = install_payment_config(patience, self.settings.chain_config_dir, self.settings.data_dir)
        await_hub(patience, self.settings.hub)
        return endpoint

    def _await_rest(self, patience: Patience, daemon: Daemon, key: str) -> str:
        """The wallet's address, once REST answers to the app-key."""
        found: list[str] = []

        def answering() -> str | None:
            daemon.check_alive()
            try:
                found.append(rest.identity(key))
            except rest.RestProblem as problem:
                return str(problem)
            return None

        patience.until(_REST_WISH, answering)
        return found[0]

    def _open_payments(self, patience: Patience, daemon: Daemon, wallet: str, endpoint: str | None) -> PaymentCommands:
        """Prove the endpoint (devnet), register as payer, name the wallet, wait for its money (devnet).

        On hoodi and polygon nothing waits: the wallet is the user's to fund. That branch could not be tried
        where it was written, a machine without those networks.
        """
        network = self.settings.network.payment_network
        payments = PaymentCommands(self.settings.program, network, {**self.inherited, "GSB_URL": self.settings.gsb_url})
        if endpoint is not None:
            check_only_endpoint(payments.endpoints(), network, endpoint)
        payments.init_sender()
        self._name_wallet(wallet)
        if endpoint is None:
            return payments

        def funded() -> str | None:
            daemon.check_alive()
            return unfunded(payments)

        patience.until(Wish("money in the wallet", 120, logs("chain")), funded)
        return payments

    def _name_wallet(self, wallet: str) -> None:
        try:
            write_atomically(self.settings.wallet_file, wallet + "\n")
        except OSError as error:
            raise StartError(
                f"the wallet's address cannot be published — {error} — the volume wallet-address must belong to "
                "uid 10001"
            ) from error


def unfunded(payments: PaymentCommands) -> str | None:
    """None if the wallet holds GLM or gas, else what is observed.

    Either will do: a wallet that spent all its GLM was funded once and will not be again.
    """
    try:
        balance = payments.balance()
    except CommandProblem as problem:
        return str(problem)
    if balance.glm > 0 or balance.gas > 0:
        return None
    return f"{balance.glm} GLM, {balance.gas} gas"
