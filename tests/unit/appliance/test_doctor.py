from __future__ import annotations

import json
from collections.abc import Callable
from http.client import BadStatusLine
from io import BytesIO
from pathlib import Path

import pytest

from appliance import doctor
from appliance.paths import ENGINE
from appliance.settings import Ports, Settings
from appliance.shell import Answer, Shell
from appliance.steps import StepError, Steps
from tests.unit.appliance.bench import on

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
        assert finding.fix == "the devnet funds a wallet once: make devnet-reset, then make up"


@pytest.mark.parametrize("network", ["hoodi", "polygon"])
def test_a_wallet_of_a_public_network_is_the_users_to_fund(network: str) -> None:
    settings = on(network)
    for check in (doctor.check_wallet, doctor.check_gas):
        assert "fund the wallet: README.md" in check(settings, Scripted(money("0", "0"))).fix


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


NAMES = ("yagna", "bridge", "prometheus", "chain", "devnet")


@pytest.fixture
def without_grafana(tmp_path: Path) -> Settings:
    settings = on("devnet", tmp_path)
    settings.profiles_file.write_text("devnet\n")
    return settings


def rows(*names: str, **healths: str) -> list[dict[str, str]]:
    """Containers as compose tells of them; healthy where nothing else is said."""
    return [{"Service": name, "State": "running", "Health": healths.get(name, "healthy")} for name in names]


def told(containers: list[dict[str, str]]) -> Scripted:
    return Scripted(Answer(0, "\n".join(map(json.dumps, containers))))


def test_containers_must_all_be_healthy(without_grafana: Settings) -> None:
    assert doctor.check_containers(without_grafana, told(rows(*NAMES))).ok
    finding = doctor.check_containers(without_grafana, told(rows(*NAMES[1:])))
    assert (finding.ok, finding.observed) == (False, "yagna missing")
    assert "docker compose logs yagna" in finding.fix


def test_of_an_appliance_that_does_not_run_only_that_is_a_finding(
    without_grafana: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = [{"Service": name, "State": "exited", "Health": ""} for name in NAMES]
    monkeypatch.setattr(doctor, "MACHINE", (doctor.check_containers,))
    for containers in ([], stopped):
        first, *rest = doctor.look(without_grafana, told(containers))
        assert first.line() == "   ✖ containers none runs — run: make up"
        assert {finding.name: finding.ok for finding in rest} == dict.fromkeys(doctor.APPLIANCE)
        assert rest[0].line() == "   · clock      not looked at, as the appliance does not run"


def test_everything_of_an_appliance_that_runs_is_looked_at(
    without_grafana: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry = doctor.Finding("gas", False, "0 tETH", "fund the wallet")
    monkeypatch.setattr(doctor, "MACHINE", (doctor.check_containers,))
    monkeypatch.setattr(doctor, "APPLIANCE", {"gas": lambda _settings, _shell: dry})
    containers, gas = doctor.look(without_grafana, told(rows("yagna")))
    assert (containers.ok, gas) == (False, dry)


def test_grafana_must_be_healthy_where_it_is_wanted(without_grafana: Settings) -> None:
    sick = told(rows(*NAMES, "grafana", grafana="unhealthy"))
    assert doctor.check_containers(without_grafana, sick).ok
    without_grafana.profiles_file.write_text("devnet,grafana\n")
    finding = doctor.check_containers(without_grafana, sick)
    assert (finding.ok, finding.observed) == (False, "grafana unhealthy")
    assert "grafana" in doctor.check_containers(without_grafana, told(rows(*NAMES, "grafana"))).observed


def test_older_composes_tell_of_containers_in_one_list(without_grafana: Settings) -> None:
    assert doctor.check_containers(without_grafana, Scripted(Answer(0, json.dumps(rows(*NAMES))))).ok


class Page(BytesIO):
    """What a web server answers."""

    def __init__(self, body: bytes, **headers: str) -> None:
        super().__init__(body)
        self.headers = headers


def answering(what: Page | Exception) -> Callable[..., Page]:
    """An ``open_here``."""

    def open_here(*_: object, **__: object) -> Page:
        if isinstance(what, Exception):
            raise what
        return what

    return open_here


STRANGERS = [BadStatusLine("SSH-2.0-OpenSSH_9.2"), Page(b"<html>"), Page(b"[]"), Page(b"{}")]


@pytest.mark.parametrize("stranger", STRANGERS, ids=["no HTTP", "HTML", "a list", "an object"])
def test_another_program_on_a_port_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stranger: Page | Exception
) -> None:
    settings = Settings("ray-on-golem-unit", "devnet", Ports(1, 2, 3), tmp_path)
    settings.token_file.write_text("token")
    monkeypatch.setattr(doctor, "open_here", answering(stranger))
    shell = Scripted(Answer(0, ""))
    bridge = "   ✖ bridge     what answers on port 1 is not the bridge — set BRIDGE_PORT in .env, then run: make up"
    clock = "   ✖ clock      what answers on port 2 is not Prometheus — set PROMETHEUS_PORT in .env, then run: make up"
    assert doctor.check_bridge(settings, shell).line() == bridge
    if isinstance(stranger, Exception):
        assert doctor.check_clock(settings, shell).line() == clock


@pytest.mark.parametrize("date", [{}, {"Date": "yesterday"}])
def test_a_server_without_a_clock_is_not_prometheus(monkeypatch: pytest.MonkeyPatch, date: dict[str, str]) -> None:
    monkeypatch.setattr(doctor, "open_here", answering(Page(b"", **{"Date": "", **date})))
    assert "is not Prometheus" in doctor.check_clock(SETTINGS, Scripted(Answer(0, ""))).observed


def test_no_docker_is_told_with_the_way_out() -> None:
    finding = doctor.check_engine(SETTINGS, Scripted(Answer(127, "", "docker is not installed")))
    assert finding.line() == "   ✖ engine     Docker does not answer: docker is not installed — run: make up"


@pytest.mark.parametrize(
    ("version", "is_fine"), [("2.20.0", True), ("v5.0.1", True), ("2.19.9", False), ("1.29", False)]
)
def test_an_older_compose_is_a_finding(version: str, is_fine: bool) -> None:
    finding = doctor.check_engine(SETTINGS, Scripted(Answer(0, f"{version}\n")))
    assert finding.ok == is_fine
    assert is_fine or finding.line() == f"   ✖ engine     compose {version}, 2.20 is needed — run: make up"


def test_the_set_up_wants_the_compose_that_doctor_wants() -> None:
    needed = ".".join(map(str, doctor.COMPOSE_NEEDED))
    assert f"\nCOMPOSE_NEEDED={needed}\n" in (ENGINE / "engine.sh").read_text(encoding="utf-8")


def test_findings_decide_the_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = doctor.Finding("good", True, "yes"), doctor.Finding("bad", False, "no", "mend it")
    unseen = doctor.Finding("unseen", None, "not looked at")
    monkeypatch.setattr(doctor, "look", lambda _settings, _shell: [good, unseen])
    doctor.examine(Steps(Path("logs")), SETTINGS)
    monkeypatch.setattr(doctor, "look", lambda _settings, _shell: [good, bad])
    monkeypatch.setattr("sys.argv", ["appliance", "doctor", "--json"])
    capsys.readouterr()
    with pytest.raises(StepError, match=r"1 of 2 findings are bad \(bad\)"):
        doctor.examine(Steps(Path("logs")), SETTINGS)
    assert json.loads(capsys.readouterr().out)[1]["fix"] == "mend it"
