"""The yagna process: its command line, its environment, its end."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import StartError
from .settings import API_PORT, Network, Settings

_POLL = 0.2
# After SIGINT yagna gets this many seconds, then SIGTERM and a little more, then SIGKILL: 7 s in all, less than
# the 10 s after which docker would kill everything.
_INTERRUPT_LIMIT = 5.0
_TERMINATE_LIMIT = 2.0


def command(settings: Settings) -> list[str]:
    """The command line; it holds no secret. ``--log-dir ""`` keeps the log on standard error only."""
    quiet = [] if settings.metrics_push else ["--disable-metrics-push"]
    return [settings.program, "service", "run", *quiet, "--log-dir", ""]


def environment(
    settings: Settings, inherited: Mapping[str, str], app_key: str, identity_secret: str | None
) -> dict[str, str]:
    """The daemon's environment: the container's, the network's settings and the secrets."""
    made = dict(inherited)
    made |= {
        "YAGNA_DATADIR": str(settings.data_dir),
        "YAGNA_API_URL": f"http://0.0.0.0:{API_PORT}",
        "GSB_URL": settings.gsb_url,
        "YAGNA_AUTOCONF_APPKEY": app_key,
    }
    if identity_secret is not None:
        made["YAGNA_AUTOCONF_ID_SECRET"] = identity_secret
    made |= _devnet() | {"CENTRAL_NET_HOST": settings.hub} if settings.network is Network.DEVNET else _public()
    return made


def _devnet() -> dict[str, str]:
    """Offers and payments within seconds. yagna 0.17.6 breaks silently with payment cycles below 5 s."""
    return {
        "YA_NET_TYPE": "central",
        "OFFER_BROADCAST_DELAY": "200ms",
        "MEAN_CYCLIC_BCAST_INTERVAL": "2s",
        "PAYMENT_CYCLE_DEFAULT_INTERVAL": "5s",
        "PAYMENT_CYCLE_DEFAULT_EXTRA_PAY_TIME": "5s",
    }


def _public() -> dict[str, str]:
    return {"YA_NET_TYPE": "hybrid"}


@dataclass
class Daemon:
    """A running yagna."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, arguments: list[str], environment: Mapping[str, str]) -> Daemon:
        """Raises StartError if the program cannot be executed."""
        try:
            return cls(subprocess.Popen(arguments, env=dict(environment), stdin=subprocess.DEVNULL))
        except OSError as error:
            raise StartError(f"yagna does not start — {error} — build the yagna image again") from error

    def check_alive(self) -> None:
        """Raises StartError if it ended."""
        status = self.process.poll()
        if status is not None:
            raise StartError(f"yagna ended with status {status} — see its last lines above")

    def supervise(self, stop: threading.Event) -> int:
        """Until it ends by itself, or ``stop`` is set and it is stopped; the exit status for the container."""
        while self.process.poll() is None:
            if stop.wait(_POLL):
                return self.stop()
        return exit_status(self.process.returncode)

    def stop(self) -> int:
        """End it; 0 if it went by itself.

        SIGINT first: while yagna waits for its hub it ignores SIGTERM.
        """
        self.process.send_signal(signal.SIGINT)
        if self._ended_within(_INTERRUPT_LIMIT):
            return exit_status(self.process.returncode, stopped=True)
        self.process.send_signal(signal.SIGTERM)
        if not self._ended_within(_TERMINATE_LIMIT):
            self.process.kill()
            self.process.wait()
        return exit_status(self.process.returncode, stopped=True)

    def _ended_within(self, limit: float) -> bool:
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            return False
        return True


def exit_status(returncode: int, *, stopped: bool = False) -> int:
    """A container's exit status: 128 + n for signal n, and 0 for a daemon that was told to stop and did."""
    if returncode >= 0:
        return returncode
    number = -returncode
    asked_for = stopped and number in (signal.SIGINT, signal.SIGTERM)
    return 0 if asked_for else 128 + number
