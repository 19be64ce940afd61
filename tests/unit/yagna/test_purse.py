"""The file that tells the bridge what the wallet holds; a shell script speaks for yagna."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

from tests.unit.yagna.test_payments import status, yagna
from yagna_entry.purse import Purse


def test_it_tells_what_yagna_tells_and_when(tmp_path: Path) -> None:
    path, before = tmp_path / "balance.json", time.time()
    Purse(yagna(tmp_path, status("999.5", "0.25")), path, say=print).look()
    told = json.loads(path.read_text())
    assert {key: told[key] for key in ("glm", "gas", "coin")} == {"glm": "999.5", "gas": "0.25", "coin": "tETH"}
    assert before <= told["at"] <= time.time()
    assert path.stat().st_mode & 0o777 == 0o644  # the bridge is another user


def test_a_silent_yagna_leaves_the_file_to_grow_old_and_is_reported_once(tmp_path: Path) -> None:
    path, said = tmp_path / "balance.json", list[str]()
    purse = Purse(yagna(tmp_path, status("1", "1")), path, say=said.append)
    purse.look()
    known = path.read_text()
    purse.payments = yagna(tmp_path, "Server is unreachable", status=1)
    purse.look()
    purse.look()
    assert path.read_text() == known
    assert len(said) == 1
    assert "Server is unreachable" in said[0]


def test_it_looks_at_once_and_stops_when_told(tmp_path: Path) -> None:
    path, stop = tmp_path / "balance.json", threading.Event()
    stop.set()
    Purse(yagna(tmp_path, status("1", "1")), path, say=print).watch(stop)
    assert path.exists()
