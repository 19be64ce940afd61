"""``python -m golem_devnet.agent CONFIG``: one provider's process. Ends with code 75 when its daemon ends."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from golem_devnet.agent.config import AgentConfig
from golem_devnet.agent.provider import Provider
from golem_devnet.agent.rest import ProviderRest, RestError
from golem_devnet.net.bus import BusClient, BusError
from golem_devnet.net.commands import CommandError
from golem_devnet.net.line import HubLine
from golem_devnet.net.siblings import sweep_bridges
from golem_devnet.sandbox.node import NODES, sweep

TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: the supervisor starts the agent anew."""

CONNECT_PATIENCE = 20.0
"""Seconds."""

log = logging.getLogger(__name__)


async def serve(config: AgentConfig) -> int:
    """Exit code."""
    rest = ProviderRest(config.api_url, config.app_key)
    task: asyncio.Task[None] | None = None
    sweep(NODES / config.provider.name)
    try:
        await sweep_bridges()
        bus = await _connect(config.bus_url, config.provider.name)
        hub = HubLine(config.hub_url, config.provider.name)
        await hub.ready(CONNECT_PATIENCE)
        task = asyncio.create_task(Provider(config, rest=rest, bus=bus, hub=hub).run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        await task
    except asyncio.CancelledError:
        return 0
    except (OSError, BusError, RestError, CommandError) as error:
        log.warning("starting anew: %s", error)
        return TRY_AGAIN
    finally:
        await rest.close()
    return 0


async def _connect(url: str, name: str) -> BusClient:
    """The daemon's bus, which may be starting just now. Raises OSError."""
    deadline = asyncio.get_running_loop().time() + CONNECT_PATIENCE
    while True:
        try:
            return await BusClient.connect(url, name)
        except OSError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.2)


def main() -> None:
    config = AgentConfig.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    logging.basicConfig(level="INFO", format=f"[{config.provider.name}] %(message)s", stream=sys.stderr)
    sys.exit(asyncio.run(serve(config)))


if __name__ == "__main__":
    main()
