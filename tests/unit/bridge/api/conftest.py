"""A bridge behind its doors, on an event loop in which waiting takes no time."""

from __future__ import annotations

import pytest

from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.conftest import bench, pytest_asyncio_loop_factories
from tests.unit.bridge.doors import Doors

__all__ = ["bench", "doors", "pytest_asyncio_loop_factories"]


@pytest.fixture
def doors(bench: Bench) -> Doors:
    return Doors(bench, admits_upstream=False)
