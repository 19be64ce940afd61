"""After ``sudo make up``: whose files are whose."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import __main__ as main
from appliance.ownership import hand_over
from appliance.paths import ROOT
from appliance.steps import StepError

OWNER = 4321


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was given to the clone's owner. As far as can be seen here, root made everything below it."""
    names: list[str] = []
    real = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        values = list(real(path, follow_symlinks=follow_symlinks))
        values[4] = values[5] = OWNER if path == tmp_path else 0
        return os.stat_result(values)

    def chown(path: Path, uid: int, gid: int, *, follow_symlinks: bool) -> None:
        assert (uid, gid, follow_symlinks) == (OWNER, OWNER, False)
        names.append(path.name)

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setattr(os, "chown", chown)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return names


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / "up.log").touch()
    return folder


def test_what_root_made_is_given_to_the_clones_owner(given: list[str], run: Path, tmp_path: Path) -> None:
    hand_over([run, tmp_path / "not there"], clone=tmp_path)
    assert given == ["run", "logs", "up.log"]


def test_anybody_else_gives_nothing(
    given: list[str], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    hand_over([run], clone=tmp_path)
    assert given == []


REFUSALS = {
    "Docker is not installed — run: make up": FileNotFoundError(2, "No such file or directory", "docker"),
    "run/logs/up.log: Permission denied — if it belongs to somebody else: sudo chown": PermissionError(
        13, "Permission denied", "run/logs/up.log"
    ),
    "/backup: No space left on device — mend it": OSError(28, "No space left on device", "/backup"),
}


@pytest.mark.parametrize("expected", REFUSALS)
def test_what_the_machine_refuses_is_one_sentence(
    expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise REFUSALS[expected]

    monkeypatch.setitem(main.COMMANDS, "down", refuse)
    monkeypatch.setattr(main, "hand_over", lambda _: None)
    monkeypatch.setattr("sys.argv", ["appliance", "down"])
    assert main.main() == 1
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"make down failed: {expected}")
    assert len(said.splitlines()) == 1


def test_a_reader_that_has_seen_enough_is_told_nothing() -> None:
    """As with ``make doctor | head``; in a process of its own, whose standard output is closed by it."""
    program = (
        "import sys; from appliance import __main__ as main\n"
        "def leave(*_): raise BrokenPipeError(32, 'Broken pipe')\n"
        "main.COMMANDS['down'], main.hand_over, sys.argv = leave, lambda _: None, ['appliance', 'down']\n"
        "sys.exit(main.main())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_files_are_handed_over_after_a_failure_too(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []

    def fail(*_: object) -> None:
        raise StepError("no")

    monkeypatch.setitem(main.COMMANDS, "down", fail)
    monkeypatch.setattr(main, "hand_over", done.append)
    monkeypatch.setattr("sys.argv", ["appliance", "down"])
    assert main.main() == 1
    assert len(done) == 1
