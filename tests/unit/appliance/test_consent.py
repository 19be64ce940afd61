"""Real money is asked about before anything is changed, once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import pytest

from appliance import __main__ as program
from appliance.consent import ask_for_consent
from appliance.settings import Ports, Settings
from appliance.steps import StepError, Steps


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Networks on which something was started."""
    seen: list[str] = []
    monkeypatch.setattr(program, "bring_up", lambda _steps, settings: seen.append(settings.network))
    return seen


def on(network: str, run: Path) -> Settings:
    return Settings("ray-on-golem-unit", network, Ports(1, 2, 3), run)


def steps(folder: Path) -> Steps:
    return Steps(folder / "logs")


def typing(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _prompt: answer)


@pytest.mark.parametrize("network", ["devnet", "hoodi"])
def test_without_real_money_nothing_is_asked(network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask_for_consent(steps(tmp_path), on(network, tmp_path / "run"))
    assert capsys.readouterr().out == ""


def test_it_is_said_what_it_means_and_nothing_starts_without_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], started: list[str]
) -> None:
    run = tmp_path / "run"
    typing(monkeypatch, "yes")
    with pytest.raises(StepError, match="Not agreed — nothing was changed"):
        program.up(steps(tmp_path), on("polygon", run))
    shown = capsys.readouterr().out
    for said in ("REAL MONEY", "GLM on polygon", "POL for gas", "where to fund", "nothing but ray up"):
        assert said in shown
    assert not started
    assert not run.exists()


def test_an_end_of_input_is_no_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[str]) -> None:
    """Ctrl-D."""

    def ended(_prompt: str) -> NoReturn:
        raise EOFError

    typing(monkeypatch, "")
    monkeypatch.setattr("builtins.input", ended)
    with pytest.raises(StepError, match="Not agreed — nothing was changed"):
        program.up(steps(tmp_path), on("polygon", tmp_path / "run"))
    assert not started


def test_who_agreed_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, "polygon")
    ask_for_consent(steps(tmp_path), on("polygon", tmp_path / "run"))
    typing(monkeypatch, "no")
    ask_for_consent(steps(tmp_path), on("polygon", tmp_path / "run"))


def test_a_program_must_say_so_in_so_many_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(StepError, match="AGREE=polygon make up"):
        ask_for_consent(steps(tmp_path), on("polygon", tmp_path / "run"))
    monkeypatch.setenv("AGREE", "polygon")
    ask_for_consent(steps(tmp_path), on("polygon", tmp_path / "run"))
