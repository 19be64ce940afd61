"""The contract: deployed once, its transfers listed as exact integers."""

from __future__ import annotations

import pytest

from golem_devnet.chain.errors import RpcRefusedError
from golem_devnet.chain.token import GLM_ADDRESS, Transfer, artifact, find_or_deploy
from tests.unit.chain.ledger import NOBODY, LedgerChain

ALICE = "0x" + "a" * 40
BOB = "0x" + "b" * 40


def test_a_new_chain_gets_the_contract_and_keeps_it() -> None:
    chain = LedgerChain()
    assert find_or_deploy(chain).address == GLM_ADDRESS
    assert find_or_deploy(chain).address == GLM_ADDRESS
    assert chain.nonce == 1


def test_a_chain_used_by_somebody_else_is_refused() -> None:
    with pytest.raises(RpcRefusedError, match="make devnet-reset"):
        find_or_deploy(LedgerChain(nonce=3))


def test_a_second_grant_is_refused() -> None:
    token = find_or_deploy(LedgerChain())
    token.grant(ALICE, 5, 1)
    with pytest.raises(RpcRefusedError, match="already granted"):
        token.grant(ALICE, 5, 1)


def test_transfers_are_filtered_and_exact() -> None:
    chain = LedgerChain()
    token = find_or_deploy(chain)
    grant = token.grant(ALICE, 10**27 + 1, 1)
    chain.record(ALICE, BOB, 123_456_789_012_345_678_901, "0xfeed")
    assert token.transfers() == [
        Transfer(grant, 2, NOBODY, ALICE, 10**27 + 1),
        Transfer("0xfeed", 3, ALICE, BOB, 123_456_789_012_345_678_901),
    ]
    assert [found.tx for found in token.transfers(sender=ALICE)] == ["0xfeed"]
    assert [found.tx for found in token.transfers(receiver=ALICE)] == [grant]
    assert token.transfers(sender=BOB) == []
    assert token.balance(ALICE) == 10**27 + 1 - 123_456_789_012_345_678_901


def test_the_committed_artifact_has_what_a_payment_needs() -> None:
    needed = {"balanceOf(address)", "transfer(address,uint256)", "grant(address,uint256)", "granted(address)"}
    assert needed <= artifact().selectors.keys()
    assert artifact().selectors["transfer(address,uint256)"] == "a9059cbb"
    assert artifact().bytecode.startswith("0x60")
