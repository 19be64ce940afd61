from __future__ import annotations

import sys
from pathlib import Path

import pytest

from appliance.setup import build_progress, up_progress
from appliance.steps import StepError, Steps


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("#12 [bridge build 3/3] RUN pip   install x\n", "bridge build 3/3  RUN pip install x"),
        ("#3 [yagna internal] load build definition\n", "yagna internal  load build definition"),
        ("#1 [internal] load build definition\n", None),
        ("#12 4.2 Collecting aiohttp\n", None),
        ("#12 DONE 3.4s\n", None),
    ],
)
def test_a_build_shows_its_steps(line: str, shown: str | None) -> None:
    assert build_progress(line) == shown


def test_long_build_steps_are_cut() -> None:
    shown = build_progress(f"#9 [devnet 3/9] RUN {'x' * 500}")
    assert shown is not None
    assert len(shown) < 120


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (" Container ray-on-golem-yagna-1  Healthy\n", "Container ray-on-golem-yagna-1  Healthy"),
        (" Container ray-on-golem-yagna-1  Waiting\n", None),
        (" Network ray-on-golem_golem  Created\n", None),
        ("container ray-on-golem-bridge-1 is unhealthy\n", "container ray-on-golem-bridge-1 is unhealthy"),
        ("\n", None),
    ],
)
def test_starting_shows_what_is_up_and_what_failed(line: str, shown: str | None) -> None:
    assert up_progress(line) == shown


def test_a_failing_command_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("appliance.paths.ROOT", tmp_path)
    steps = Steps(tmp_path / "logs")
    program = "import sys; print('almost there'); sys.exit(3)"
    with pytest.raises(StepError, match=r"exit code 3 — its output is in logs/try.log"):
        steps.run([sys.executable, "-c", program], log="try", show=lambda _: None)
    assert "almost there" in capsys.readouterr().out
    assert (tmp_path / "logs" / "try.log").read_text() == "almost there\n"


def test_times_are_told_step_by_step(tmp_path: Path) -> None:
    steps = Steps(tmp_path)
    with steps.step("first"):
        pass
    with pytest.raises(StepError), steps.step("second"):
        raise StepError("it broke")
    assert [line.split()[0] for line in steps.table().splitlines()] == ["first", "second", "all"]
