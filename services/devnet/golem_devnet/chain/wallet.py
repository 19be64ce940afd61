"""Paying the wallet that the yagna container names, once."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from golem_devnet.chain.amounts import parse_address, wei_text
from golem_devnet.chain.token import Token

log = logging.getLogger(__name__)


@dataclass
class WalletWatch:
    """Looks at the wallet file and pays each new address its start money; amounts in wei.

    Who was paid is written on the chain by the contract, so it survives restarts exactly as long as the
    chain does: a chain that starts anew pays again.
    """

    token: Token
    file: Path
    glm: int
    gas: int
    _settled: set[str] = field(default_factory=set)
    _complaint: str = ""

    def look(self) -> str | None:
        """One look; the address if it was paid just now. Raises ChainError if the chain does not take it."""
        wallet = self._named_wallet()
        if wallet is None or wallet in self._settled:
            return None
        already = self.token.granted(wallet)
        if not already:
            self.token.grant(wallet, self.glm, self.gas)
            log.info("wallet %s funded with %s GLM and %s tETH", wallet, wei_text(self.glm), wei_text(self.gas))
        self._settled.add(wallet)
        return None if already else wallet

    def _named_wallet(self) -> str | None:
        try:
            text = self.file.read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            self._complain(f"cannot read {self.file}: {error}")
            return None
        try:
            return parse_address(text)
        except ValueError as error:
            self._complain(f"{self.file}: {error}; nothing is funded")
            return None

    def _complain(self, complaint: str) -> None:
        """Say it once, not at every look."""
        if complaint != self._complaint:
            log.warning("%s", complaint)
            self._complaint = complaint
