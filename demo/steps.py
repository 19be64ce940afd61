"""Steps with a title, live output, a log file and a time; the times are printed at the end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from demo.paths import LOGS, ROOT

QUIET = 15.0
"""Seconds without output after which a line says that work goes on."""


class StepError(Exception):
    """A step failed; the message is for the user."""


class Steps:
    """The demo's stopwatch and voice."""

    def __init__(self) -> None:
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
        self, command: Sequence[str | Path], *, log: str, env: Mapping[str, str] | None = None, timeout: float = 1800
    ) -> str:
        """Run a command, showing its output as it comes. Returns the output; raises StepError if it fails."""
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        watchdog = threading.Timer(timeout, process.kill)
        watchdog.start()
        lines: list[str] = []
        LOGS.mkdir(parents=True, exist_ok=True)
        path = LOGS / f"{log}.log"
        with path.open("w", encoding="utf-8") as file, _heartbeat(self) as beat:
            assert process.stdout is not None
            for line in process.stdout:
                beat()
                lines.append(line)
                file.write(line)
                print(f"   {line}", end="", flush=True)
            code = process.wait()
        watchdog.cancel()
        if code != 0:
            shown = " ".join(Path(str(part)).name if index == 0 else str(part) for index, part in enumerate(command))
            raise StepError(f"`{shown}` failed — exit code {code} — its output is in {path.relative_to(ROOT)}")
        return "".join(lines)

    def table(self) -> str:
        """All steps with their times, and the whole."""
        width = max(len(title) for title, _ in self._times)
        rows = [f"   {title:<{width}}  {_clock(seconds):>7}" for title, seconds in self._times]
        rows.append(f"   {'all':<{width}}  {_clock(time.monotonic() - self._begin):>7}")
        return "\n".join(rows)


class Background:
    """A step that runs beside others, silently, into its log file."""

    def __init__(self, title: str, command: Sequence[str | Path], *, log: str) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.title = title
        self._path = LOGS / f"{log}.log"
        self._begin = time.monotonic()
        with self._path.open("wb") as file:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def finish(self, steps: Steps, timeout: float = 1200) -> None:
        """Wait for the end, with a sign of life. Raises StepError if it failed."""
        with _heartbeat(steps):
            try:
                code = self._process.wait(timeout)
            except subprocess.TimeoutExpired as error:
                self._process.kill()
                raise StepError(
                    f"{self.title} took more than {timeout:.0f} s — see {self._path.relative_to(ROOT)}"
                ) from error
        if code != 0:
            tail = "".join(self._path.read_text(errors="replace").splitlines(keepends=True)[-15:])
            print(tail, file=sys.stderr)
            raise StepError(f"{self.title} failed — exit code {code} — see {self._path.relative_to(ROOT)}")


@contextmanager
def _heartbeat(steps: Steps) -> Iterator[_Beat]:
    beat = _Beat(steps)
    thread = threading.Thread(target=beat.watch, daemon=True)
    thread.start()
    try:
        yield beat
    finally:
        beat.stop()
        thread.join()


class _Beat:
    """Says every now and then that work goes on, unless something else was said."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._begin = self._last = time.monotonic()
        self._stopped = threading.Event()

    def __call__(self) -> None:
        self._last = time.monotonic()

    def stop(self) -> None:
        self._stopped.set()

    def watch(self) -> None:
        while not self._stopped.wait(1):
            now = time.monotonic()
            if now - self._last >= QUIET:
                self._last = now
                self._steps.say(f"   … still at it, {now - self._begin:.0f} s")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{seconds:.1f} s"
