"""What ``make bench`` takes for a benchmark, and what it makes of one that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import __main__ as runner


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``tests/bench`` of its own, with one good benchmark, one bad one, and a module that is none."""
    made = tmp_path / "tests" / "bench"
    made.mkdir(parents=True)
    for path in (made, made.parent):
        (path / "__init__.py").touch()
    (made / "good.py").write_text('MEASURES = "what is good"\nprint("7 per second")\n')
    (made / "slow.py").write_text('MEASURES = "what is not"\nraise SystemExit(1)\n')
    (made / "choosy.py").write_text('MEASURES = "what is beyond"\nNEEDS = "a miracle"\nraise SystemExit(1)\n')
    (made / "helper.py").write_text('import nothing_that_exists\nNAME = "MEASURES"\n')
    known = runner.benches(made)
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setattr(runner, "benches", lambda: known)
    return made


def test_a_benchmark_declares_itself(folder: Path) -> None:
    assert {name: bench.line for name, bench in runner.benches().items()} == {
        "choosy": "what is beyond (needs a miracle)",
        "good": "what is good",
        "slow": "what is not",
    }


def test_a_benchmark_finds_the_product(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The packages under services/ are installed nowhere."""
    sources = folder.parents[1] / "services" / "bridge"
    sources.mkdir(parents=True)
    (sources / "only_there.py").write_text('print("found it")\n')
    (folder / "good.py").write_text('MEASURES = "what is good"\nimport only_there\n')
    assert runner.run(["good"]) == 0
    assert "found it" in capfd.readouterr().out


def test_the_repository_has_some() -> None:
    assert {"plugin_import", "devnet"} <= set(runner.benches())


def test_a_missed_goal_is_told_and_decides_the_exit_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench"])
    assert runner.main() == 1
    shown = capfd.readouterr().out
    assert "== good: what is good\n7 per second\n   goals met" in shown
    assert "1 of 2 benchmarks met their goals, not slow" in shown
    monkeypatch.setattr("sys.argv", ["bench", "good"])
    assert runner.main() == 0


def test_an_unknown_name_is_answered_with_those_there_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "fast"])
    with pytest.raises(SystemExit, match="2"):
        runner.main()
    assert "no benchmark 'fast' — known: choosy, good, slow" in capsys.readouterr().err
