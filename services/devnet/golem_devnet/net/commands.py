"""Running the small system tools (ip, nsenter, …) that networks and sandboxes are made with."""

from __future__ import annotations

import asyncio

TIMEOUT = 20.0
"""Seconds."""


class CommandError(Exception):
    """A tool failed; the message holds the command and what it said."""


async def run(*command: str) -> str:
    """Run a tool to its end and return its output. Raises CommandError."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            output, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        raise CommandError(f"`{' '.join(command)}` took more than {TIMEOUT:.0f} s") from error
    text = output.decode(errors="replace").strip()
    if process.returncode != 0:
        raise CommandError(f"`{' '.join(command)}` failed: {text}")
    return text
