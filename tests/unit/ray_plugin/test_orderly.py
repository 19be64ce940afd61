"""Signals that end a step of ``ray up``."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from ray_on_golem.errors import BridgeDownError
from ray_on_golem.provider import orderly
from tests.unit.ray_plugin.commands import HEAD_TAGS
from tests.unit.ray_plugin.conftest import Make
from tests.unit.ray_plugin.fake_bridge import FakeBridge

both = pytest.mark.parametrize("number", orderly.SIGNALS)


class Killed(FakeBridge):
    """The command is sent a signal while it waits for the head, and another while it closes the cluster."""

    number = signal.SIGTERM

    def wait_for_node(self, name: str, node_id: str, *, seconds: float, message_seen: str | None) -> dict[str, object]:
        signal.raise_signal(self.number)
        raise BridgeDownError("the signal did nothing")

    def close_cluster(self, name: str) -> dict[str, object]:
        signal.raise_signal(signal.SIGHUP)
        return super().close_cluster(name)


@pytest.fixture
def bridge() -> Killed:
    return Killed()


@pytest.fixture(autouse=True)
def as_in_a_shell() -> Iterator[None]:
    """Whoever runs the tests may ignore a signal, and hand that down."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in orderly.SIGNALS}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@both
def test_a_ray_up_that_is_killed_leaves_nothing_rented(make: Make, bridge: Killed, number: signal.Signals) -> None:
    bridge.number = number
    with pytest.raises(SystemExit) as ended:
        make().create_node({}, HEAD_TAGS, 1)
    assert ended.value.code == 128 + number
    assert bridge.closed


@both
def test_signals_mean_what_they_did_once_the_step_is_over(number: signal.Signals) -> None:
    with pytest.raises(SystemExit), orderly.end():
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_DFL


@both
def test_a_signal_that_is_ignored_stays_ignored(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with orderly.end():
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", orderly.ENDING)
def test_nothing_disturbs_a_clean_up(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with orderly.undisturbed():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_clean_up_after_ctrl_c_is_not_ended_by_the_terminals_end(make: Make, bridge: Killed) -> None:
    bridge.number = signal.SIGINT
    with pytest.raises(KeyboardInterrupt):
        make().create_node({}, HEAD_TAGS, 1)
    assert bridge.closed


def test_a_step_in_another_thread_leaves_signals_alone() -> None:
    seen: list[object] = []

    def step() -> None:
        with orderly.end():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=step)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]
