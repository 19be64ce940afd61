"""The commands of an exe-script, carried out on one node."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from golem_devnet.catalogue.images import Images
from golem_devnet.exeunit.batch import Outcome
from golem_devnet.exeunit.transfer import TransferError, transfer
from golem_devnet.faults.model import Faults
from golem_devnet.net.bus import BusError
from golem_devnet.net.commands import CommandError
from golem_devnet.net.line import HubLine
from golem_devnet.net.vpn import Membership, Vpn, VpnError
from golem_devnet.sandbox.node import Sandbox, SandboxError

Command = Callable[[Mapping[str, Any]], Awaitable[Outcome]]

DEPLOYED = json.dumps({"vols": [], "startMode": "blocking", "valid": {"Ok": ""}})
"""What the VM runtime answers to deploy."""


class NodeCommands:
    """Deploy once, start once, then run what is asked."""

    def __init__(
        self,
        *,
        folder: Path,
        image_hash: str,
        images: Images,
        hub: HubLine,
        provider_id: str,
        siblings: Collection[str],
        faults: Callable[[], Faults] = Faults,
    ) -> None:
        self._folder = folder
        self._key = folder.name
        self._faults = faults
        self._image_hash = image_hash
        self._images = images
        self._hub = hub
        self._provider_id = provider_id
        self._siblings = siblings
        self._sandbox: Sandbox | None = None
        self._vpns: list[Vpn] = []
        self.started = False

    @property
    def pid(self) -> int | None:
        """The node's first process; None before deploy."""
        return self._sandbox.pid if self._sandbox is not None else None

    async def carry_out(self, name: str, arguments: Mapping[str, Any]) -> Outcome:
        """One command; failures are outcomes, never exceptions of the tools beneath."""
        commands: dict[str, Command] = {
            "deploy": self._deploy,
            "start": self._start,
            "run": self._run,
            "transfer": self._transfer,
            "terminate": self._terminate,
        }
        command = commands.get(name)
        if command is None:
            return Outcome(ok=False, message=f"unknown command {name!r} — known: {', '.join(commands)}")
        try:
            return await command(arguments)
        except (SandboxError, CommandError, VpnError, BusError, TransferError, OSError) as error:
            return Outcome(ok=False, message=f"{name} failed: {error}")

    async def set_vpn(self, up: bool) -> None:
        """Let frames pass or not, in all networks."""
        for vpn in self._vpns:
            await vpn.set_up(up)

    async def destroy(self) -> None:
        """Nothing is left of the node."""
        for vpn in self._vpns:
            await vpn.leave()
        self._vpns.clear()
        if self._sandbox is not None:
            await self._sandbox.destroy()
            self._sandbox = None

    async def _deploy(self, arguments: Mapping[str, Any]) -> Outcome:
        if self._sandbox is not None:
            return Outcome(ok=False, message="deployed already")
        await asyncio.sleep(self._faults().deploy_delay)
        if not self._faults().deploy:
            return Outcome(ok=False, message="deploy failed: told to by the fault switchboard")
        image = self._images.by_hash(self._image_hash)
        if image is None:
            return Outcome(ok=False, message=f"image {self._image_hash} is not in the devnet's catalogue")
        memberships = [Membership.parse(network) for network in arguments.get("net") or []]
        host_name = arguments.get("hostname") or (memberships[0].ip.replace(".", "-") if memberships else self._key)
        sandbox = Sandbox(self._folder)
        try:
            await sandbox.create(host_name, image.root)
        except BaseException:  # cancelled too: nobody else knows of it yet
            await sandbox.destroy()
            raise
        self._sandbox = sandbox
        for number, membership in enumerate(memberships):
            vpn = Vpn(
                membership,
                hub=self._hub,
                provider_id=self._provider_id,
                siblings=self._siblings,
                node_key=f"{number}{self._key}",
                pid=sandbox.pid,
            )
            self._vpns.append(vpn)
            await vpn.join()
            await vpn.set_up(self._faults().vpn)
        return Outcome(ok=True, stdout=DEPLOYED)

    async def _start(self, _arguments: Mapping[str, Any]) -> Outcome:
        if self._sandbox is None:
            return Outcome(ok=False, message="start needs deploy before it")
        self.started = True
        return Outcome(ok=True)

    async def _run(self, arguments: Mapping[str, Any]) -> Outcome:
        if self._sandbox is None or not self.started:
            return Outcome(ok=False, message="run needs deploy and start before it")
        program = arguments.get("entry_point") or arguments.get("entryPoint")
        if not isinstance(program, str):
            return Outcome(ok=False, message="run names no entry_point")
        finished = await self._sandbox.run(program, [str(item) for item in arguments.get("args") or []])
        message = None if finished.exit_code == 0 else f"exit code {finished.exit_code}"
        return Outcome(finished.exit_code == 0, finished.stdout, finished.stderr, message)

    async def _transfer(self, arguments: Mapping[str, Any]) -> Outcome:
        if self._sandbox is None:
            return Outcome(ok=False, message="transfer needs deploy before it")
        await transfer(self._sandbox, arguments)
        return Outcome(ok=True)

    async def _terminate(self, _arguments: Mapping[str, Any]) -> Outcome:
        return Outcome(ok=True)
