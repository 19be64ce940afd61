"""What must not be open after a cluster's end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.settlement import check_nothing_open
from appliance.steps import StepError, Steps


class Yagna(Steps):
    """Answers every question with what is open."""

    def __init__(self, **ids: list[str]) -> None:
        super().__init__(Path("logs"))
        self.open = {"agreements": [], "activities": [], "allocations": [], **ids}

    def ask(self, command: Sequence[str | Path], *, timeout: float = 120) -> str:
        return json.dumps(self.open)


def test_what_was_open_before_is_none_of_a_clusters_leftovers(capsys: pytest.CaptureFixture[str]) -> None:
    yagna = Yagna(allocations=["of-an-earlier-one"])
    check_nothing_open(yagna, before={"allocations": ["of-an-earlier-one"]})
    assert (
        capsys.readouterr().out == "   Nothing is open that was not before: an earlier cluster waits for its bills.\n"
    )
    with pytest.raises(StepError, match=r"still open at yagna: .*of-an-earlier-one"):
        check_nothing_open(yagna)
    yagna.open["agreements"] = ["left"]
    with pytest.raises(StepError, match=r"'agreements': {'left'}"):
        check_nothing_open(yagna, before={"allocations": ["of-an-earlier-one"]})


def test_nothing_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    check_nothing_open(Yagna(), before={"allocations": []})
    assert capsys.readouterr().out == "   Nothing is open: no agreement, no activity, no allocation.\n"
