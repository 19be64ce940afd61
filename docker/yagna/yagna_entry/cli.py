"""yagna's command line, which reaches the daemon over its inner bus."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from .advice import logs
from .errors import StartError

_LIMIT = 30.0


class CommandProblem(Exception):  # noqa: N818 - an observation, which a caller may turn into an error
    """A command failed; str() is the first line that yagna said."""


@dataclass(frozen=True)
class Balance:
    """GLM and gas token of the wallet, in whole tokens; ``coin`` is the short name of the gas token."""

    glm: Decimal
    gas: Decimal
    coin: str


@dataclass(frozen=True)
class PaymentCommands:
    """``yagna payment ...`` for one network."""

    program: str
    network: str
    environment: Mapping[str, str]

    def init_sender(self) -> None:
        """Register the wallet as payer; must be repeated after every start of the daemon. Raises StartError."""
        try:
            self._run("init", "--sender", "--network", self.network, "--driver", "erc20")
        except CommandProblem as problem:
            raise StartError(f"yagna payment init failed — {problem} — {logs('yagna')}") from problem

    def endpoints(self) -> str:
        """The JSON list of RPC endpoints. Raises StartError."""
        try:
            return self._run("driver", "rpc", "--network", self.network, "--json")
        except CommandProblem as problem:
            raise StartError(f"yagna does not name its RPC endpoints — {problem} — {logs('yagna')}") from problem

    def balance(self) -> Balance:
        """What the chain says, through yagna. Raises CommandProblem, after about 7 s when the chain is down."""
        text = self._run("status", "--network", self.network, "--json")
        try:
            status = json.loads(text)
            gas = status["gas"]
            return Balance(Decimal(status["amount"]), Decimal(gas["balance"]), str(gas["currency_short_name"]))
        except (ValueError, KeyError, TypeError, InvalidOperation) as error:
            raise CommandProblem(f"yagna payment status is not understood: {error!r}") from error

    def _run(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                [self.program, "payment", *arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CommandProblem(str(error)) from error
        if done.returncode != 0:
            raise CommandProblem(next(iter(done.stderr.strip().splitlines()), f"status {done.returncode}"))
        return done.stdout
