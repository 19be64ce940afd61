"""A Python process that is kept alive."""

from __future__ import annotations

import asyncio
import logging
import sys
import time

STOP_TIMEOUT = 15.0
"""Seconds a child has to end cleanly."""

MAX_PAUSE = 10.0
"""Seconds between restarts of a child that keeps dying."""

STEADY = 30.0
"""A child that ran that many seconds starts again at once."""

log = logging.getLogger(__name__)


class Child:
    """``python -m MODULE ARGUMENTS`` for ever."""

    def __init__(self, name: str, module: str, *arguments: str) -> None:
        self.name = name
        self._command = (sys.executable, "-m", module, *arguments)
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Its process lives now."""
        return self._process is not None and self._process.returncode is None

    def start(self) -> None:
        """Start it, unless it is kept alive already."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_alive(), name=self.name)

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL."""
        await self._let_die()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            log.warning("%s did not stop in %.0f s and is killed", self.name, STOP_TIMEOUT)
            process.kill()
            await process.wait()

    async def vanish(self) -> None:
        """SIGKILL, and no new start."""
        await self._let_die()
        await self._kill()

    async def come_back(self) -> None:
        """Undo :meth:`vanish`."""
        self.start()

    async def crash(self) -> None:
        """SIGKILL; it starts again by itself."""
        await self._kill()

    async def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _let_die(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _keep_alive(self) -> None:
        pause = 0.5
        while True:
            began = time.monotonic()
            try:
                self._process = await asyncio.create_subprocess_exec(*self._command, stdin=asyncio.subprocess.DEVNULL)
                end = f"ended with code {await self._process.wait()}"
            except OSError as error:  # no memory, no process numbers: that passes
                end = f"cannot be started ({error})"
            pause = 0.5 if time.monotonic() - began > STEADY else min(pause * 2, MAX_PAUSE)
            log.warning("%s %s and starts again in %.1f s", self.name, end, pause)
            await asyncio.sleep(pause)
