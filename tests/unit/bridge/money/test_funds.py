"""What the wallet holds, out of the file that yagna's container writes."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from golem_bridge.errors import GolemError
from golem_bridge.money.funds import STALE, Funds, read_funds
from tests.unit.bridge.samples import START


def written(folder: Path, **changed: object) -> Path:
    path = folder / "balance.json"
    path.write_text(json.dumps({"glm": "999.5", "gas": "0.25", "coin": "POL", "at": START.timestamp()} | changed))
    return path


def test_amounts_are_exact(tmp_path: Path) -> None:
    path = written(tmp_path, glm="12.000000000000000001")
    assert read_funds(path, now=START) == Funds(Decimal("12.000000000000000001"), Decimal("0.25"), "POL", START)


def test_news_may_be_a_little_old_but_not_very(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert read_funds(path, now=START + STALE).glm == Decimal("999.5")
    with pytest.raises(GolemError, match=r"unknown — yagna told it last 121 s ago — see: docker compose logs yagna"):
        read_funds(path, now=START + STALE + timedelta(seconds=1))


@pytest.mark.parametrize("changed", [{"glm": "-1"}, {"glm": "NaN"}, {"gas": "Infinity"}, {"coin": None}, {"at": "now"}])
def test_what_is_no_balance_is_unknown(tmp_path: Path, changed: dict[str, object]) -> None:
    with pytest.raises(GolemError, match="is not understood"):
        read_funds(written(tmp_path, **changed), now=START)


def test_before_yagna_has_told_nothing_is_known(tmp_path: Path) -> None:
    with pytest.raises(GolemError, match="No such file"):
        read_funds(tmp_path / "balance.json", now=START)
