from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from appliance.bridge import Bridge
from appliance.paths import CLUSTER_FILE
from appliance.settings import Settings, read_settings
from appliance.settlement import check_nothing_open
from appliance.steps import Steps
from tests.devnet import switch
from tests.e2e.cluster import ClusterFile

Switchboard = Callable[..., object]
"""Takes the words after `faults`, see docs/DEVNET.md."""


class MakeCluster(Protocol):
    """Makes a cluster file out of another one."""

    def __call__(self, name: str, source: Path = CLUSTER_FILE) -> ClusterFile: ...


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Of the running appliance."""
    assert os.environ.get("RAY_ON_GOLEM_APPLIANCE") == "up", "these tests need a running appliance — run: make test"
    return read_settings()


@pytest.fixture(scope="session")
def bridge(settings: Settings) -> Bridge:
    return Bridge(settings)


@pytest.fixture(scope="session")
def steps(settings: Settings) -> Steps:
    return Steps(settings.logs)


@pytest.fixture(scope="session")
def make_cluster(
    settings: Settings, bridge: Bridge, steps: Steps, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeCluster]:
    """Makes cluster files, named anew at every run, as Ray caches what it made of a file.

    Whatever was started from them is ended afterwards.
    """
    made: list[ClusterFile] = []

    def make(name: str, source: Path = CLUSTER_FILE) -> ClusterFile:
        cluster = ClusterFile(settings, f"{name}-{secrets.token_hex(2)}", tmp_path_factory.mktemp(name), source)
        made.append(cluster)
        return cluster

    yield make
    live = {node.cluster for node in bridge.live_nodes()}
    for cluster in made:
        if cluster.name in live:
            cluster.down()


@pytest.fixture
def switchboard() -> Iterator[Switchboard]:
    """The devnet's: tells providers to misbehave, until the test has ended."""

    yield switch
    switch("clear")


@pytest.fixture
def nothing_rented(bridge: Bridge) -> Iterator[None]:
    """Nothing is rented after a test, by the bridge's word."""
    yield
    assert bridge.live_nodes() == []


@pytest.fixture(scope="module")
def nothing_open(steps: Steps) -> Iterator[None]:
    """Nothing is open after a module, by yagna's own word."""
    yield
    check_nothing_open(steps)
