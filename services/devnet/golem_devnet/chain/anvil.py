"""anvil as a child process that keeps its chain in one file."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from golem_devnet.advice import compose
from golem_devnet.chain.errors import AnvilError, DamagedStateError, RpcUnreachableError, start_anew
from golem_devnet.chain.rpc import Rpc, number_result

_START_LIMIT = 30.0
_STOP_LIMIT = 8.0


def command(program: str, state_file: Path, port: int, chain_id: int) -> list[str]:
    """The command line.

    No block time: a block appears with each transaction and the chain does not grow while idle.
    --prune-history: without it anvil 1.7.1 writes a snapshot per block (4 GB after 10,000 blocks).
    --state: read at the start, written every --state-interval seconds and on SIGTERM.
    """
    return [
        program,
        *("--host", "0.0.0.0"),  # noqa: S104 - in a container, without a published port
        *("--port", str(port)),
        *("--chain-id", str(chain_id)),
        *("--state", str(state_file)),
        *("--state-interval", "5"),
        "--prune-history",
        "--no-cors",
        "--silent",
    ]


def check_state(state_file: Path) -> None:
    """Raises DamagedStateError if the file exists and cannot be a dumped chain; a missing file is a new chain.

    anvil itself only says that it cannot parse an option's value.
    """
    try:
        text = state_file.read_text("utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(state_file, str(error)) from error
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _damaged(state_file, f"{len(text)} characters, {error}") from error
    if not isinstance(document, dict) or "accounts" not in document:
        raise _damaged(state_file, "JSON, but no dumped chain")


def _damaged(state_file: Path, observed: str) -> DamagedStateError:
    return DamagedStateError(
        f"the local chain's state file {state_file} is damaged — {observed} — a new devnet starts with: {start_anew()}"
    )


@dataclass
class Anvil:
    """A running anvil."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, arguments: list[str], state_file: Path) -> Anvil:
        """Start it. Raises DamagedStateError or AnvilError."""
        check_state(state_file)
        try:
            return cls(subprocess.Popen(arguments, stdin=subprocess.DEVNULL))
        except OSError as error:
            raise AnvilError(f"anvil does not start — {error} — build the chain image again") from error

    def wait_ready(self, rpc: Rpc, chain_id: int, limit: float = _START_LIMIT) -> None:
        """Until the chain answers with its id; raises AnvilError after ``limit`` seconds or if anvil ended."""
        deadline = time.monotonic() + limit
        while True:
            self.check_alive()
            try:
                found = number_result(rpc.call("eth_chainId"), "eth_chainId")
            except RpcUnreachableError as error:
                if time.monotonic() > deadline:
                    raise AnvilError(f"anvil does not answer within {limit:g} s — {error}") from error
                time.sleep(0.05)
                continue
            if found != chain_id:
                raise AnvilError(f"the chain has id {found}, wanted {chain_id} — another chain's state file?")
            return

    def check_alive(self) -> None:
        """Raises AnvilError if the process has ended."""
        status = self.process.poll()
        if status is not None:
            raise AnvilError(f"anvil ended by itself with status {status} — see {compose('logs chain')}")

    def stop(self) -> None:
        """SIGTERM, at which anvil writes its state; SIGKILL if it has not ended after 8 seconds."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
