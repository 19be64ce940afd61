from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from golem_bridge.clock import SystemClock
from golem_bridge.golem.yagna import YagnaGolem
from golem_devnet.catalogue.images import NODE_IMAGE, image_hash
from tests.contract.world import NO_IMAGE, World
from tests.devnet import app_key, is_up, switch, yagna_url
from tests.fakes.clock import VirtualClock
from tests.fakes.golem import FakeProvider, MemoryGolem

# the generated clients ask an old certifi for certificates they never use
CERTIFI = pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")


@dataclass(frozen=True)
class RealYagna:
    """Where a yagna is, and in which subnets its providers are."""

    url: str
    key: str
    image: str
    honest: str
    refusing: str | None
    silent: str | None
    declining: str | None


@pytest.fixture(scope="module")
def real_yagna() -> Iterator[RealYagna]:
    """The running appliance's, with a subnet for each manner; otherwise the one the environment names."""
    if not is_up():
        yield _from_environment()
        return
    mark = secrets.token_hex(4)
    found = RealYagna(
        url=yagna_url(),
        key=app_key(),
        image=f"hash:sha3:{image_hash(NODE_IMAGE)}:http://devnet/image",
        honest=f"honest-{mark}",
        refusing=f"refusing-{mark}",
        silent=f"silent-{mark}",
        declining=f"declining-{mark}",
    )
    switch("clear")
    switch("set", "alder", f"subnet={found.honest}", "note_interval=2")
    switch("set", "cedar", f"subnet={found.refusing}", "agreements=refuse")
    switch("set", "dogwood", f"subnet={found.silent}", "agreements=ignore")
    switch("set", "elm", f"subnet={found.declining}", "proposals=refuse")
    try:
        yield found
    finally:
        switch("clear")


@pytest.fixture(params=["memory", pytest.param("yagna", marks=CERTIFI)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    made = _memory() if request.param == "memory" else _yagna(request.getfixturevalue("real_yagna"))
    async for world in made:
        yield world


async def _memory() -> AsyncIterator[World]:
    clock = VirtualClock()
    golem = MemoryGolem(clock=clock)
    golem.join(FakeProvider("honest", run_output="hello\n", debit_note_interval=2.0))
    golem.join(FakeProvider("refusing", subnet="refusing", refuses_agreements=True))
    golem.join(FakeProvider("silent", subnet="silent", silent_on_agreements=True))
    golem.join(FakeProvider("declining", subnet="declining", rejects_proposals=True))
    async with clock.flowing():
        yield World(golem, clock, honest="devnet", refusing="refusing", silent="silent", declining="declining")
        await golem.close()


async def _yagna(real: RealYagna) -> AsyncIterator[World]:
    async with YagnaGolem(real.url, real.key) as golem:
        yield World(
            golem,
            SystemClock(),
            honest=real.honest,
            refusing=real.refusing,
            silent=real.silent,
            declining=real.declining,
            image=real.image,
        )


def _from_environment() -> RealYagna:
    url, key_file = os.environ.get("RAY_ON_GOLEM_YAGNA_URL"), os.environ.get("RAY_ON_GOLEM_YAGNA_APPKEY_FILE")
    if not url or not key_file:
        pytest.skip("RAY_ON_GOLEM_YAGNA_URL and RAY_ON_GOLEM_YAGNA_APPKEY_FILE name no yagna")
    return RealYagna(
        url=url,
        key=Path(key_file).read_text(encoding="utf-8").strip(),
        image=os.environ.get("RAY_ON_GOLEM_IMAGE", NO_IMAGE),
        honest=os.environ.get("RAY_ON_GOLEM_SUBNET", "devnet"),
        refusing=os.environ.get("RAY_ON_GOLEM_SUBNET_REFUSING"),
        silent=os.environ.get("RAY_ON_GOLEM_SUBNET_SILENT"),
        declining=os.environ.get("RAY_ON_GOLEM_SUBNET_DECLINING"),
    )
