"""The devnet's container, from start to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiohttp import web

from golem_devnet.advice import compose
from golem_devnet.agent.config import AgentConfig, ProviderConfig, read_providers
from golem_devnet.agent.rest import ProviderRest
from golem_devnet.catalogue.images import Images
from golem_devnet.catalogue.server import create_app
from golem_devnet.faults.server import create_app as create_switchboard
from golem_devnet.faults.switchboard import Switchboard
from golem_devnet.sandbox.node import NODES
from golem_devnet.supervisor.child import Child
from golem_devnet.supervisor.daemon import Daemon, DaemonError, Identity
from golem_devnet.supervisor.offers import OfferWatch
from golem_devnet.supervisor.settings import (
    API_URL,
    BUS_URL,
    CATALOGUE_PORT,
    FAULTS,
    HEALTH,
    HUB_PORT,
    HUB_URL,
    PLATFORM,
    RUN,
    SWITCHBOARD,
    Settings,
)

CHAIN_PATIENCE = 120.0
HUB_PATIENCE = 10.0
"""Seconds."""

log = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Until SIGTERM. Raises DaemonError, ConfigError."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    providers = read_providers(settings.providers_file, settings.providers)
    for folder in (NODES, FAULTS):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        await until_one_ends(stopping.wait(), _run(settings, providers, stack))


async def _run(settings: Settings, providers: Sequence[ProviderConfig], stack: AsyncExitStack) -> None:
    hub = Child("hub", "golem_devnet.net")
    hub.start()
    stack.push_async_callback(hub.stop)
    await _await_port(HUB_PORT)
    await _serve(stack, create_app(Images()), lambda runner: web.TCPSite(runner, "0.0.0.0", CATALOGUE_PORT))  # noqa: S104 - not published
    await await_chain(settings.chain_config)
    daemon = Daemon(data=settings.data, chain_config=settings.chain_config)
    stack.push_async_callback(daemon.stop)
    await daemon.start()
    identities = await daemon.identities([provider.name for provider in providers])
    await daemon.register_payees(identities)
    switchboard = Switchboard(FAULTS, {"hub": hub.crash, "yagna": daemon.stop})
    for provider, identity in zip(providers, identities, strict=True):
        agent = Child(f"agent {provider.name}", "golem_devnet.agent", _write(settings, provider, identity, identities))
        switchboard.add(provider.name, agent)
        agent.start()
        stack.push_async_callback(agent.stop)
    log.info("%d providers start in subnet %s", len(providers), settings.subnet)
    SWITCHBOARD.unlink(missing_ok=True)
    await _serve(stack, create_switchboard(switchboard), lambda runner: web.UnixSite(runner, str(SWITCHBOARD)))
    rests = {identity.name: ProviderRest(API_URL, identity.app_key) for identity in identities}
    for rest in rests.values():
        stack.push_async_callback(rest.close)
    await keep_up(daemon, identities, OfferWatch(rests, HEALTH))


async def keep_up(daemon: Daemon, identities: Sequence[Identity], watch: OfferWatch) -> None:
    """For ever; a part that cannot go on ends the whole, which Docker starts again. Raises DaemonError."""
    await until_one_ends(_keep_alive(daemon, identities), watch.keep())


async def _keep_alive(daemon: Daemon, identities: Sequence[Identity]) -> None:
    while True:
        log.warning("the provider side's yagna ended with code %d and starts again", await daemon.wait())
        await daemon.start()
        await daemon.register_payees(identities)


async def until_one_ends(*works: Coroutine[Any, Any, object]) -> None:
    """The others are cancelled then, as are all with the caller; what the first one raises is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _await_port(port: int) -> None:
    async with asyncio.timeout(HUB_PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


async def _serve(stack: AsyncExitStack, app: web.Application, site: Callable[[web.AppRunner], web.BaseSite]) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await site(runner).start()


async def await_chain(config: Path) -> None:
    """The chain's container writes the file once the token is deployed. Raises DaemonError."""
    waited = 0.0
    while not config.exists():  # noqa: ASYNC240 - one stat of a local volume
        if waited >= CHAIN_PATIENCE:
            raise DaemonError(f"{config} did not appear in {CHAIN_PATIENCE:.0f} s — see: {compose('logs chain')}")
        if waited % 5 == 0:
            log.info("waiting for the chain (%.0f s)", waited)
        await asyncio.sleep(0.5)
        waited += 0.5


def _write(settings: Settings, provider: ProviderConfig, identity: Identity, identities: Sequence[Identity]) -> str:
    """The agent's configuration, in a file only root can read."""
    config = AgentConfig(
        provider=provider,
        node_id=identity.node_id,
        app_key=identity.app_key,
        api_url=API_URL,
        bus_url=BUS_URL,
        hub_url=HUB_URL,
        subnet=settings.subnet,
        platform=PLATFORM,
        siblings=tuple(other.node_id for other in identities),
        faults_file=FAULTS / f"{provider.name}.json",
    )
    path = RUN / f"agent-{provider.name}.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(config.model_dump_json())
    return str(path)
