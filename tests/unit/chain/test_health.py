"""Healthy means: files written, chain answers, contract there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from golem_devnet.chain.config import ChainFacts, publish
from golem_devnet.chain.errors import ChainError
from golem_devnet.chain.health import check
from golem_devnet.chain.token import GLM_ADDRESS

FACTS = ChainFacts("http://chain:8545", 560048, GLM_ADDRESS)


@dataclass
class Answers:
    """A chain that only knows its id and one piece of code."""

    chain_id: int = 560048
    code: str = "0x60"

    def call(self, method: str, *_params: str | bool | Mapping[str, object]) -> object:
        return {"eth_chainId": hex(self.chain_id), "eth_getCode": self.code}[method]


def test_healthy(tmp_path: Path) -> None:
    publish(tmp_path, FACTS)
    check(Answers(), tmp_path)


@pytest.mark.parametrize("answers", [Answers(chain_id=1), Answers(code="0x")])
def test_another_chain_or_no_contract_is_not(tmp_path: Path, answers: Answers) -> None:
    publish(tmp_path, FACTS)
    with pytest.raises(ChainError):
        check(answers, tmp_path)


@pytest.mark.parametrize("missing", ["chain.json", "config-payments.toml"])
def test_a_missing_file_is_not(tmp_path: Path, missing: str) -> None:
    publish(tmp_path, FACTS)
    (tmp_path / missing).unlink()
    with pytest.raises(ChainError, match=missing):
        check(Answers(), tmp_path)
