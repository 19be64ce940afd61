"""A wallet gets its start money exactly once, whatever restarts."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from golem_devnet.chain.token import find_or_deploy
from golem_devnet.chain.wallet import WalletWatch
from tests.unit.chain.ledger import LedgerChain

ALICE = "0x" + "a" * 40
BOB = "0x" + "b" * 40
GLM = 1000 * 10**18
GAS = 10**18


def watch(chain: LedgerChain, file: Path) -> WalletWatch:
    return WalletWatch(find_or_deploy(chain), file, GLM, GAS)


def test_a_named_wallet_is_paid_glm_and_gas(tmp_path: Path) -> None:
    chain, file = LedgerChain(), tmp_path / "address"
    file.write_text(ALICE + "\n")
    assert watch(chain, file).look() == ALICE
    assert (chain.glm[ALICE], chain.gas[ALICE]) == (GLM, GAS)


def test_no_wallet_named_yet_is_nothing_to_do(tmp_path: Path) -> None:
    chain = LedgerChain()
    assert watch(chain, tmp_path / "address").look() is None
    assert chain.grants == []


def test_looking_again_pays_nothing(tmp_path: Path) -> None:
    chain, file = LedgerChain(), tmp_path / "address"
    file.write_text(ALICE)
    watcher = watch(chain, file)
    assert [watcher.look() for _ in range(3)] == [ALICE, None, None]
    assert chain.grants == [ALICE]


def test_a_restarted_service_pays_nothing(tmp_path: Path) -> None:
    chain, file = LedgerChain(), tmp_path / "address"
    file.write_text(ALICE)
    watch(chain, file).look()
    assert watch(chain, file).look() is None
    assert chain.glm[ALICE] == GLM


def test_the_same_address_in_other_letters_is_the_same_wallet(tmp_path: Path) -> None:
    chain, file = LedgerChain(), tmp_path / "address"
    file.write_text(ALICE)
    watcher = watch(chain, file)
    watcher.look()
    file.write_text("0x" + "A" * 40)
    assert watcher.look() is None
    assert chain.grants == [ALICE]


def test_a_new_wallet_is_paid_too_and_the_old_one_not_again(tmp_path: Path) -> None:
    chain, file = LedgerChain(), tmp_path / "address"
    watcher = watch(chain, file)
    for address in (ALICE, BOB, ALICE):
        file.write_text(address)
        watcher.look()
    assert chain.grants == [ALICE, BOB]


def test_a_new_chain_pays_again(tmp_path: Path) -> None:
    file = tmp_path / "address"
    file.write_text(ALICE)
    watch(LedgerChain(), file).look()
    assert watch(LedgerChain(), file).look() == ALICE


def test_rubbish_is_complained_about_once_and_not_paid(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chain, file = LedgerChain(), tmp_path / "address"
    file.write_text("0x123")
    watcher = watch(chain, file)
    with caplog.at_level(logging.WARNING):
        assert [watcher.look(), watcher.look()] == [None, None]
    assert [record.getMessage() for record in caplog.records] == [
        f"{file}: '0x123' is no address (0x and 40 hexadecimal digits); nothing is funded"
    ]
    assert chain.grants == []
