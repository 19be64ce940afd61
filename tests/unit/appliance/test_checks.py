"""Ports are the subject, so these tests open some, on the loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import checks
from appliance.settings import Ports, Settings
from appliance.steps import StepError


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(*, bridge: int, other: int) -> Settings:
    return Settings("ray-on-golem-unit", "devnet", Ports(bridge, other, other), Path("run"))


def test_free_ports_are_fine(free: int) -> None:
    checks.check_ports(settings(bridge=free, other=free))


def test_a_taken_port_is_named_with_a_way_out(taken: int, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_is_ours", lambda _project, _port: False)
    expected = f"Port {taken} .* taken by another program — nothing was changed — .*BRIDGE_PORT={taken + 1}"
    with pytest.raises(StepError, match=expected):
        checks.check_ports(settings(bridge=taken, other=free))


def test_a_port_this_appliance_holds_is_fine(taken: int, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_is_ours", lambda project, port: (project, port) == ("ray-on-golem-unit", taken))
    checks.check_ports(settings(bridge=taken, other=free))
