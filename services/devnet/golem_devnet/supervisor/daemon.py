"""The provider side's yagna daemon: one process, one identity per provider."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from pydantic import BaseModel, Field, TypeAdapter

from golem_devnet.supervisor.settings import API_URL, BUS_URL, HUB_PORT

START_TIMEOUT = 120.0
STOP_TIMEOUT = 8.0
"""Seconds."""

log = logging.getLogger(__name__)


class DaemonError(Exception):
    """The daemon cannot be used."""


class Identity(BaseModel):
    """One provider's identity and the key that opens its view of the REST API."""

    name: str
    node_id: str
    app_key: str = Field(repr=False)


class Daemon:
    """Starts and stops ``yagna service run``, and asks its command line."""

    def __init__(self, *, data: Path, chain_config: Path) -> None:
        self._data = data / "yagna"
        self._identities_file = data / "identities.json"
        self._chain_config = chain_config
        self._process: asyncio.subprocess.Process | None = None
        self._app_key = secrets.token_hex(16)

    async def start(self) -> None:
        """Run the daemon; returns when its REST API answers. Raises DaemonError."""
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        # without this file yagna silently pays on the public networks
        shutil.copyfile(self._chain_config, self._data / "config-payments.toml")
        self._process = await asyncio.create_subprocess_exec(
            *("yagna", "service", "run", "--disable-metrics-push", "--log-dir", ""),
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await self._answers()
        except TimeoutError as error:
            raise DaemonError(f"the provider side's yagna did not answer in {START_TIMEOUT:.0f} s") from error

    async def wait(self) -> int:
        """Until it ends; its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """SIGINT, which it heeds in every state, then SIGKILL."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def identities(self, names: Sequence[str]) -> list[Identity]:
        """The identities of these names; missing ones are made, which takes a restart of the daemon."""
        known = {identity.name: identity for identity in self._read_identities()}
        missing = [name for name in names if name not in known]
        for name in missing:
            known[name] = await self._create(name)
            self._write_identities(list(known.values()))
        if missing:  # the daemon announces identities on the net only when it starts
            await self.stop()
            await self.start()
        return [known[name] for name in names]

    async def register_payees(self, identities: Sequence[Identity]) -> None:
        """Must be repeated after every start of the daemon. Raises DaemonError."""
        for identity in identities:
            await self._cli("payment", "init", "--receiver", "--network", "hoodi", "--account", identity.node_id)

    async def _create(self, name: str) -> Identity:
        log.info("creating the identity of provider %s", name)
        created = json.loads(await self._cli("id", "create", name, "--no-password", "--json"))
        created = created.get("Ok", created)
        app_key = (await self._cli("app-key", "create", name, "--id", name)).strip().strip('"')
        return Identity(name=name, node_id=created["nodeId"], app_key=app_key)

    def _read_identities(self) -> list[Identity]:
        if not self._identities_file.exists():
            return []
        return TypeAdapter(list[Identity]).validate_json(self._identities_file.read_bytes())

    def _write_identities(self, identities: list[Identity]) -> None:
        temporary = self._identities_file.with_suffix(".new")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(TypeAdapter(list[Identity]).dump_json(identities))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._identities_file)

    async def _cli(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "yagna",
            *arguments,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode != 0:
            said = errors.decode(errors="replace").strip()[-300:]
            raise DaemonError(f"`yagna {' '.join(arguments[:2])}` failed: {said}")
        return output.decode()

    async def _answers(self) -> None:
        assert self._process is not None
        async with aiohttp.ClientSession() as session:
            while self._process.returncode is None:
                try:
                    async with session.get(f"{API_URL}/version/get"):
                        return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        raise DaemonError(f"the provider side's yagna ended with code {self._process.returncode}")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._data),
            "YAGNA_DATADIR": str(self._data),
            "YAGNA_API_URL": API_URL,
            "YAGNA_AUTOCONF_APPKEY": self._app_key,
            "YAGNA_APPKEY": self._app_key,
            "GSB_URL": BUS_URL,
            "YA_NET_TYPE": "central",
            "CENTRAL_NET_HOST": f"127.0.0.1:{HUB_PORT}",
            "OFFER_BROADCAST_DELAY": "200ms",
            "MEAN_CYCLIC_BCAST_INTERVAL": "2s",
            "PAYMENT_CYCLE_DEFAULT_INTERVAL": "5s",
            "PAYMENT_CYCLE_DEFAULT_EXTRA_PAY_TIME": "5s",
            "RUST_LOG": os.environ.get("YAGNA_LOG", "warn"),
        }
