"""A bridge that admits upstream's client, on an event loop in which waiting takes no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import asyncssh
import pytest

from golem_bridge.clusters.keys import ClientKeys
from golem_bridge.settings import Settings
from tests.fakes.loop import VirtualLoop
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.doors import Doors

APPLIANCE = Path("/home/user/ray-on-golem")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualLoop}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Two providers, and a key that an earlier ``ray up`` left."""
    bench = Bench(settings=Settings(bridge_data_dir=tmp_path, appliance_dir=APPLIANCE))
    keys = tmp_path / "client-keys"
    keys.mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    (keys / ClientKeys.file_name("golem-cluster")).write_bytes(key.export_private_key())
    bench.join("one", "two", "three")
    await bench.start()
    yield bench
    await bench.end()


@pytest.fixture
def doors(bench: Bench) -> Doors:
    return Doors(bench)
