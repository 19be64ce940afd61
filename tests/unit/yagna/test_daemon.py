"""How yagna is started and stopped."""

from __future__ import annotations

import signal
import subprocess
import threading
from dataclasses import dataclass, field
from typing import cast

import pytest

from yagna_entry.daemon import Daemon, command, environment, exit_status
from yagna_entry.errors import StartError
from yagna_entry.settings import read_settings

KEY = "k" * 43
SECRET = "ab" * 32
DEVNET = read_settings({})


def test_secrets_travel_by_environment_only() -> None:
    made = environment(DEVNET, {"PATH": "/bin"}, KEY, SECRET)
    assert (made["YAGNA_AUTOCONF_APPKEY"], made["YAGNA_AUTOCONF_ID_SECRET"]) == (KEY, SECRET)
    assert made["PATH"] == "/bin"
    assert not {KEY, SECRET} & set(command(DEVNET))


def test_without_a_given_identity_yagna_makes_its_own() -> None:
    assert "YAGNA_AUTOCONF_ID_SECRET" not in environment(DEVNET, {}, KEY, None)


def test_the_devnet_has_a_hub_and_short_cycles() -> None:
    made = environment(DEVNET, {}, KEY, None)
    assert (made["YA_NET_TYPE"], made["CENTRAL_NET_HOST"]) == ("central", "devnet:7477")
    assert made["PAYMENT_CYCLE_DEFAULT_INTERVAL"] == "5s"
    assert made["YAGNA_DATADIR"] == "/var/lib/yagna/devnet"


@pytest.mark.parametrize("network", ["hoodi", "polygon"])
def test_public_networks_use_the_public_relay(network: str) -> None:
    made = environment(read_settings({"GOLEM_NETWORK": network}), {}, KEY, None)
    assert made["YA_NET_TYPE"] == "hybrid"
    assert "CENTRAL_NET_HOST" not in made
    assert made["YAGNA_DATADIR"] == f"/var/lib/yagna/{network}"


def test_statistics_leave_the_machine_only_when_asked() -> None:
    assert "--disable-metrics-push" in command(DEVNET)
    assert "--disable-metrics-push" not in command(read_settings({"YAGNA_METRICS_PUSH": "on"}))


@dataclass
class Process:
    """A child that ends only at the signals in ``obeys`` (SIGKILL always), with ``status`` or by the signal."""

    obeys: frozenset[int]
    status: int | None = None
    returncode: int | None = None
    got: list[int] = field(default_factory=list)

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        self.got.append(number)
        if number in self.obeys or number == signal.SIGKILL:
            self.returncode = -number if self.status is None else self.status

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            raise subprocess.TimeoutExpired("yagna", timeout or 0)
        return self.returncode


def daemon(process: Process) -> Daemon:
    return Daemon(cast("subprocess.Popen[bytes]", process))


@pytest.mark.parametrize(
    ("obeys", "signals", "status"),
    [
        ({signal.SIGINT}, [signal.SIGINT], 0),
        ({signal.SIGTERM}, [signal.SIGINT, signal.SIGTERM], 0),
        (set(), [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], 137),
    ],
)
def test_stopping_insists_more_and_more(obeys: set[int], signals: list[int], status: int) -> None:
    process = Process(frozenset(obeys))
    stop = threading.Event()
    stop.set()
    assert daemon(process).supervise(stop) == status
    assert process.got == signals


@pytest.mark.parametrize(("returncode", "status"), [(0, 0), (1, 1), (-11, 139), (-2, 130)])
def test_a_daemon_that_ends_by_itself_gives_its_status(returncode: int, status: int) -> None:
    assert daemon(Process(frozenset(), returncode=returncode)).supervise(threading.Event()) == status


def test_an_orderly_stop_is_no_failure() -> None:
    assert exit_status(-signal.SIGINT, stopped=True) == 0
    assert exit_status(3, stopped=True) == 3


def test_a_dead_daemon_is_noticed_while_waiting() -> None:
    with pytest.raises(StartError, match="status 1"):
        daemon(Process(frozenset(), returncode=1)).check_alive()


def test_a_missing_program_is_a_clear_error() -> None:
    with pytest.raises(StartError, match="build the yagna image"):
        Daemon.start(["/does/not/exist"], {})
