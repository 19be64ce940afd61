"""How ``make test`` begins and ends, and what it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance import settings as settings_of_all
from appliance import testing
from appliance.paths import ROOT
from appliance.settings import Ports, Settings, known_keys, read_settings
from appliance.steps import StepError, Steps
from appliance.testing import SUITES, counts, own_appliance, run_tests
from tests.unit.appliance.bench import DEFAULTS, ODD


def test_the_closing_line_holds_the_counts() -> None:
    output = "...\n==== slowest 10 durations ====\n1.0s call\n======= 1832 passed in 334.99s (0:05:34) =======\n"
    assert counts(output) == "1832 passed in 334.99s (0:05:34)"


def test_every_test_is_run() -> None:
    named = [ROOT / suite for suite in SUITES]
    found = [path for path in ROOT.glob("tests/**/test_*.py") if path.is_file()]
    assert found
    forgotten = [path for path in found if not any(path.is_relative_to(suite) for suite in named)]
    assert forgotten == []


def test_the_odd_settings_are_all_settings() -> None:
    assert {*ODD} == {*DEFAULTS} == known_keys() - {"RUN_DIR", "APPLIANCE_DIR", "PWD"}
    assert [key for key in ODD if ODD[key] == DEFAULTS[key]] == []


def test_the_tests_appliance_is_not_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever .env says: it obeys no setting of the user's, and is handed no key of the user's."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("".join(f"{key}={value}\n" for key, value in ODD.items()))
    monkeypatch.setattr(settings_of_all, "DOTENV", dotenv)
    own = own_appliance()
    assert own["COMPOSE_PROJECT_NAME"] == "ray-on-golem-test"
    places = {"COMPOSE_PROJECT_NAME", "RUN_DIR", "BRIDGE_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT"}
    assert {key: own[key] for key in {*own} - places} == {
        key: DEFAULTS[key] for key in {*DEFAULTS} - places - settings_of_all.IMAGES
    }
    assert own["RUN_DIR"] == "./run/test"
    own["RUN_DIR"] = str(tmp_path)  # where nothing says which images were found
    for key, value in own.items():
        monkeypatch.setenv(key, value)
    read = read_settings()
    assert (read.project, read.network, read.wanted_profiles) == ("ray-on-golem-test", "devnet", ("devnet", "grafana"))
    handed_on = read.compose_environment()
    assert {key: handed_on.get(key) for key in own} == own


class Recorded(Steps):
    """Steps that run nothing: ``done`` is what would have been run, ``failing`` are words of commands that fail."""

    def __init__(self, logs: Path, *failing: str) -> None:
        super().__init__(logs)
        self.done: list[str] = []
        self.failing = failing

    def run(self, command: Sequence[str | Path], **_: object) -> str:
        said = " ".join(Path(str(part)).name for part in command)
        word = next((word for word in WORDS if word in said), said)
        self.done.append(word)
        if word in self.failing:
            self.failing = tuple(other for other in self.failing if other != word)
            raise StepError(f"{word} failed")
        return "== 1 passed in 1.00s ==\n"


WORDS = ("browser.sh", "engine.sh", "down --volumes", "test-tools.sh", "pytest")
BEFORE = ["browser.sh", "engine.sh", "down --volumes"]
TESTS = ["bring_up", "test-tools.sh", "pytest"]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    monkeypatch.setattr("sys.argv", ["appliance", "test"])
    monkeypatch.delenv("KEEP", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(testing, "bring_up", lambda steps, _: steps.done.append("bring_up"))
    return Settings("tests-of-tests", "devnet", Ports(1, 2, 3), tmp_path)


def test_what_an_interrupted_run_left_is_removed_first(settings: Settings) -> None:
    steps = Recorded(settings.logs)
    run_tests(steps, settings)
    assert steps.done == [*BEFORE, *TESTS, "down --volumes"]


def test_who_is_not_root_is_told_before_anything_is_done(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    steps = Recorded(settings.logs)
    expected = "kill processes inside containers .* user 1000 may not — nothing was changed — run: sudo make test"
    with pytest.raises(StepError, match=expected):
        run_tests(steps, settings)
    assert steps.done == []


def test_a_machine_without_a_browser_is_told_early(settings: Settings) -> None:
    steps = Recorded(settings.logs, "browser.sh")
    with pytest.raises(StepError, match=r"browser\.sh failed"):
        run_tests(steps, settings)
    assert steps.done == ["browser.sh"]


def test_a_kept_appliance_is_used_again_and_stays(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEP", "1")
    steps = Recorded(settings.logs)
    run_tests(steps, settings)
    assert steps.done == ["browser.sh", *TESTS]


def test_failed_tests_are_told_and_their_appliance_is_removed(settings: Settings) -> None:
    steps = Recorded(settings.logs, "pytest")
    with pytest.raises(StepError, match="pytest failed"):
        run_tests(steps, settings)
    assert steps.done[-1] == "down --volumes"


def test_an_appliance_that_cannot_be_removed_first_ends_it(settings: Settings) -> None:
    steps = Recorded(settings.logs, "down --volumes")
    with pytest.raises(StepError, match="down --volumes failed"):
        run_tests(steps, settings)
    assert steps.done == BEFORE
