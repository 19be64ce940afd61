from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance import doctor
from appliance.settings import Ports, Settings
from appliance.shell import Answer, Shell
from appliance.steps import StepError, Steps

SETTINGS = Settings("ray-on-golem-unit", "devnet", Ports(1, 2, 3), Path("run"))


class Scripted(Shell):
    """Answers every command with one text."""

    def __init__(self, answer: Answer) -> None:
        super().__init__({})
        self._answer = answer

    def ask(self, *command: str, timeout: float = 1) -> Answer:
        return self._answer


def money(glm: str, gas: str) -> Answer:
    return Answer(0, json.dumps({"amount": glm, "gas": {"balance": gas, "currency_short_name": "tETH"}}))


def test_a_funded_wallet_is_fine() -> None:
    shell = Scripted(money("999.5", "0.99"))
    assert doctor.check_wallet(SETTINGS, shell).line() == "   ✔ wallet     999.5 GLM"
    assert doctor.check_gas(SETTINGS, shell).line() == "   ✔ gas        0.99 tETH"


def test_a_wallet_without_glm_or_gas_is_not() -> None:
    for finding in (
        doctor.check_wallet(SETTINGS, Scripted(money("0", "1"))),
        doctor.check_gas(SETTINGS, Scripted(money("10", "0"))),
        doctor.check_gas(SETTINGS, Scripted(money("10", "0.0001"))),
    ):
        assert not finding.ok
        assert "fund the wallet" in finding.line()


@pytest.mark.parametrize("output", ["", "no json", "{}", '{"amount": "x", "gas": {"balance": "1"}}'])
def test_a_yagna_that_does_not_tell_is_a_finding_too(output: str) -> None:
    for check in (doctor.check_wallet, doctor.check_gas, doctor.check_offers, doctor.check_yagna):
        finding = check(SETTINGS, Scripted(Answer(1, output, "connection refused")))
        assert not finding.ok
        assert "connection refused" in finding.observed


@pytest.mark.parametrize(
    ("usable", "line"),
    [
        (5, "   ✔ offers     5 of 6 providers in devnet usable, from 0.018 GLM/h"),
        (0, "   ✖ offers     6 providers in devnet, none usable — wait some minutes, then look again"),
    ],
)
def test_usable_offers_are_counted(usable: int, line: str) -> None:
    found = {"subnet": "devnet", "seen": 6, "usable": usable, "cheapest_glm_per_hour": "0.018"}
    assert doctor.check_offers(SETTINGS, Scripted(Answer(0, json.dumps(found)))).line() == line


def test_containers_must_all_be_healthy() -> None:
    names = ("yagna", "bridge", "prometheus", "chain", "devnet")
    healthy = [{"Service": name, "State": "running", "Health": "healthy"} for name in names]
    rows = "\n".join(json.dumps(row) for row in healthy)
    assert doctor.check_containers(SETTINGS, Scripted(Answer(0, rows))).ok
    some = "\n".join(json.dumps(row) for row in healthy[1:])
    finding = doctor.check_containers(SETTINGS, Scripted(Answer(0, some)))
    assert (finding.ok, finding.observed) == (False, "yagna missing")
    assert "docker compose logs yagna" in finding.fix


def test_no_docker_is_told_with_the_way_out() -> None:
    finding = doctor.check_engine(SETTINGS, Scripted(Answer(127, "", "docker is not installed")))
    assert finding.line() == "   ✖ engine     Docker does not answer: docker is not installed — run: make up"


def test_findings_decide_the_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = doctor.Finding("good", True, "yes"), doctor.Finding("bad", False, "no", "mend it")
    monkeypatch.setattr(doctor, "CHECKS", (lambda _s, _h: good,))
    doctor.examine(Steps(Path("logs")), SETTINGS)
    monkeypatch.setattr(doctor, "CHECKS", (lambda _s, _h: good, lambda _s, _h: bad))
    monkeypatch.setattr("sys.argv", ["appliance", "doctor", "--json"])
    capsys.readouterr()
    with pytest.raises(StepError, match=r"1 of 2 findings are bad \(bad\)"):
        doctor.examine(Steps(Path("logs")), SETTINGS)
    assert json.loads(capsys.readouterr().out)[1]["fix"] == "mend it"
