"""The sandbox of one node, from creation to the last trace."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NODES = Path("/run/golem-devnet/nodes")
"""On a tmpfs: overlayfs takes no overlay as upper layer."""

ENTER = Path(__file__).with_name("enter.sh")
START_TIMEOUT = 10.0
"""Seconds."""

MAX_OUTPUT = 1024 * 1024
"""Bytes kept of each of a command's outputs."""

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}

log = logging.getLogger(__name__)


class SandboxError(Exception):
    """The node could not be created."""


@dataclass(frozen=True)
class Finished:
    """A command's end."""

    exit_code: int
    stdout: str
    stderr: str


class Sandbox:
    """Own file system, processes, host name and network; nothing of other nodes is visible."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int:
        """The node's first process, as seen from outside."""
        assert self._pid is not None, "create() comes first"
        return self._pid

    async def create(self, host_name: str, image: Path) -> None:
        """Build the namespaces over the files of ``image``, which stay as they are.

        Raises SandboxError with what the tools said.
        """
        for name in ("upper", "work", "root"):
            (self._folder / name).mkdir(parents=True)
        log_path = self._folder / "enter.log"
        with log_path.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig", "KILL", "--"),  # no node outlives its agent
                *("unshare", "--fork", "--kill-child=SIGKILL", "--pid", "--mount", "--uts", "--net", "--ipc"),
                *("/bin/sh", str(ENTER), str(self._folder), host_name, str(image)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                self._pid = await self._await_init(self._process)
        except TimeoutError as error:
            raise SandboxError(f"the sandbox did not start in {START_TIMEOUT:.0f} s") from error
        if self._pid is None:
            raise SandboxError(f"the sandbox failed: {log_path.read_text(errors='replace').strip()[-500:]}")

    async def run(self, program: str, arguments: Sequence[str]) -> Finished:
        """Run a command in the node until it ends; what it leaves in the background goes on.

        Output goes to files, not pipes: a daemon that keeps them open does not hold the command up.
        """
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            process = await asyncio.create_subprocess_exec(
                *self._inside(program, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=ENVIRONMENT,
            )
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                process.kill()
                raise
            return Finished(code, _read(stdout.fileno()), _read(stderr.fileno()))

    async def popen(
        self, program: str, *arguments: str, reads: bool = False, writes: bool = False
    ) -> asyncio.subprocess.Process:
        """Start a program in the node; what it reads is ours to write, what it writes is ours to read."""
        return await asyncio.create_subprocess_exec(
            *self._inside(program, *arguments),
            stdin=asyncio.subprocess.PIPE if reads else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if writes else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
        )

    async def destroy(self) -> None:
        """End every process and remove every file of the node, however far :meth:`create` came; never raises."""
        process = self._process
        if process is not None and process.returncode is None:
            # the node's first process: unshare ends once all of the node has ended; before there is one, unshare
            for pid in _children(process.pid) or [process.pid]:
                _kill(pid)
            try:
                async with asyncio.timeout(START_TIMEOUT):
                    await process.wait()
            except TimeoutError:
                _kill(process.pid)
                await process.wait()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        if self._folder.exists():
            log.error("files of a node are left in %s", self._folder)

    def _inside(self, program: str, *arguments: str) -> tuple[str, ...]:
        spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wdns=/")
        return ("nsenter", "--target", str(self.pid), *spaces, program, *arguments)

    async def _await_init(self, process: asyncio.subprocess.Process) -> int | None:
        """The child of ``unshare`` once it has become the node's init; None if it failed."""
        while process.returncode is None:
            for child in _children(process.pid):
                if _command(child).startswith("tini"):
                    return child
            await asyncio.sleep(0.01)
        return None


def sweep(folder: Path) -> None:
    """Remove what an agent that was killed left of its nodes: files only, the rest dies with it."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        log.error("files of nodes are left in %s", folder)


def namespace_processes(pid: int) -> list[int]:
    """All processes in the process namespace of ``pid``."""
    wanted = _namespace(pid)
    if wanted is None:
        return []
    everybody = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [other for other in everybody if _namespace(other) == wanted]


def _namespace(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return None  # ended meanwhile


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []  # ended meanwhile


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""  # ended meanwhile


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        log.debug("process %d ended before", pid)


def _read(descriptor: int) -> str:
    return os.pread(descriptor, MAX_OUTPUT, 0).decode(errors="replace")
