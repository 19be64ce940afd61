"""Steps with a title, live output, a log file and a time; the times are printed at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from appliance.paths import ROOT, shown

QUIET = 15.0
"""Seconds without output after which a line says that work goes on."""

GRACE = 10.0
"""Seconds a command in the background may take to end when it is told to."""

LAST_LINES = 20
"""Lines of a failed command's log that are shown."""

Show = Callable[[str], "str | None"]
"""Makes an output line what is shown of it, if anything."""


class StepError(Exception):
    """A step failed; the message is for the user."""


def sentence(error: OSError) -> str:
    """What the machine refused, for the user."""
    place, reason = error.filename or "the machine", error.strerror or str(error)
    if place == "docker":
        return "Docker is not installed — run: make up"
    if isinstance(error, PermissionError):
        return f"{place}: {reason} — if it belongs to somebody else: sudo chown -R $(id -un) run .venv .venv-test"
    return f"{place}: {reason} — mend it and run the same again"


class Steps:
    """Stopwatch and voice of a command. ``logs`` gets every command's whole output."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._begin = time.monotonic()
        self._times: list[tuple[str, float]] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step: announced, timed."""
        begin = time.monotonic()
        self.say(f"\n== {title}  [{_clock(begin - self._begin)}]")
        try:
            yield
        finally:
            self._times.append((title, time.monotonic() - begin))

    def say(self, text: str) -> None:
        """Print at once."""
        print(text, flush=True)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        log: str,
        env: Mapping[str, str] | None = None,
        timeout: float = 1800,
        show: Show = str.rstrip,
    ) -> str:
        """Run a command, showing its output as it comes. Returns the output; raises StepError if it fails."""
        path = self.log_path(log)
        with subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            watchdog = threading.Timer(timeout, process.kill)
            watchdog.start()
            try:
                output = self._follow(process, path, show)
            finally:
                watchdog.cancel()
        if process.returncode != 0:
            if show is not str.rstrip:
                self.say("".join(output.splitlines(keepends=True)[-LAST_LINES:]))
            said = " ".join(Path(str(part)).name if index == 0 else str(part) for index, part in enumerate(command))
            raise StepError(f"`{said}` failed — exit code {process.returncode} — its output is in {shown(path)}")
        return output

    def ask(self, command: Sequence[str | Path], *, timeout: float = 120) -> str:
        """Run a command whose standard output is an answer for us, not for the user. Raises StepError."""
        asked = [str(part) for part in command]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode not in {0, 1}:
            raise StepError(f"`{' '.join(asked)}` failed — exit code {done.returncode} — {done.stderr.strip()[-300:]}")
        return done.stdout

    def log_path(self, name: str) -> Path:
        """Where a command's output goes."""
        self.logs.mkdir(parents=True, exist_ok=True)
        return self.logs / f"{name}.log"

    def table(self) -> str:
        """All steps with their times, and the whole."""
        width = max(len(title) for title, _ in self._times)
        rows = [f"   {title:<{width}}  {_clock(seconds):>7}" for title, seconds in self._times]
        rows.append(f"   {'all':<{width}}  {_clock(time.monotonic() - self._begin):>7}")
        return "\n".join(rows)

    def _follow(self, process: subprocess.Popen[str], path: Path, show: Show) -> str:
        assert process.stdout is not None
        lines: list[str] = []
        with path.open("w", encoding="utf-8") as file, heartbeat(self) as beat:
            for line in process.stdout:
                lines.append(line)
                file.write(line)
                told = show(line)
                if told is not None:
                    beat()
                    self.say(f"   {told}")
            process.wait()
        return "".join(lines)


class Background:
    """A command that runs beside the steps, silently, into its log file.

    Leaving its ``with`` ends it: what a failed command has left running would be in the way of the next one.
    """

    def __init__(self, title: str, command: Sequence[str | Path], *, steps: Steps, log: str) -> None:
        self._title = title
        self._steps = steps
        self._path = steps.log_path(log)
        with self._path.open("wb") as file:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that what it starts can be ended with it
            )

    def __enter__(self) -> Background:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def finish(self, timeout: float = 1200) -> None:
        """Wait for the end, with a sign of life. Raises StepError if it failed."""
        where = shown(self._path)
        with heartbeat(self._steps):
            try:
                code = self._process.wait(timeout)
            except subprocess.TimeoutExpired as error:
                raise StepError(f"{self._title} took more than {timeout:.0f} s — see {where}") from error
        if code != 0:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            self._steps.say("".join(lines[-LAST_LINES:]))
            raise StepError(f"{self._title} failed — exit code {code} — see {where}")

    def _end(self) -> None:
        """With all it has started; nothing is left to end once it has ended by itself."""
        if self._process.poll() is not None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
                return


@contextmanager
def heartbeat(steps: Steps) -> Iterator[Callable[[], None]]:
    """Says every now and then that work goes on, unless what it yields was called meanwhile."""
    begin = last = time.monotonic()
    stopped = threading.Event()

    def beat() -> None:
        nonlocal last
        last = time.monotonic()

    def watch() -> None:
        while not stopped.wait(1):
            if time.monotonic() - last >= QUIET:
                beat()
                steps.say(f"   … still at it, {time.monotonic() - begin:.0f} s")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield beat
    finally:
        stopped.set()
        thread.join()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{seconds:.1f} s"
