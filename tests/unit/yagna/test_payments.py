"""What the entry point concludes from yagna's command line; a shell script speaks for yagna."""

from __future__ import annotations

from pathlib import Path

import pytest

from yagna_entry.cli import CommandProblem, PaymentCommands
from yagna_entry.errors import StartError
from yagna_entry.start import unfunded


def yagna(folder: Path, says: str, status: int = 0) -> PaymentCommands:
    program = folder / "yagna"
    stream = 1 if status == 0 else 2
    answer = f"cat >&{stream} <<'END'\n{says}\nEND\nexit {status}\n"
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n{answer}')
    program.chmod(0o755)
    return PaymentCommands(str(program), "hoodi", {"PATH": "/usr/bin:/bin"})


def status(glm: str, gas: str) -> str:
    gas_text = f'{{"balance": "{gas}", "currency_short_name": "tETH"}}'
    return f'{{"amount": "{glm}", "gas": {gas_text}, "network": "hoodi"}}'


@pytest.mark.parametrize(("glm", "gas"), [("1000", "1"), ("0", "0.9999"), ("0.000000000000000001", "0")])
def test_any_money_means_funded(tmp_path: Path, glm: str, gas: str) -> None:
    assert unfunded(yagna(tmp_path, status(glm, gas))) is None


def test_no_money_is_told_as_such(tmp_path: Path) -> None:
    assert unfunded(yagna(tmp_path, status("0", "0"))) == "0 GLM, 0 gas"


def test_an_unreachable_chain_is_waited_for(tmp_path: Path) -> None:
    assert unfunded(yagna(tmp_path, "Server is unreachable\nStack backtrace:", status=1)) == "Server is unreachable"


@pytest.mark.parametrize("says", ["", "{}", "[]", '{"amount": "many", "gas": {"balance": "1"}}'])
def test_an_odd_balance_is_not_money(tmp_path: Path, says: str) -> None:
    with pytest.raises(CommandProblem, match="not understood"):
        yagna(tmp_path, says).balance()
    assert unfunded(yagna(tmp_path, says)) is not None


def test_paying_is_opened_for_one_network_and_driver(tmp_path: Path) -> None:
    yagna(tmp_path, "").init_sender()
    assert (tmp_path / "asked").read_text() == "payment init --sender --network hoodi --driver erc20\n"


def test_a_failed_start_of_payments_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="payment init failed — no such driver"):
        yagna(tmp_path, "no such driver", status=1).init_sender()
    with pytest.raises(StartError, match="does not name its RPC endpoints"):
        yagna(tmp_path, "", status=1).endpoints()
