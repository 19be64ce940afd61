"""Every test of this room runs on an event loop in which waiting takes no time."""

from __future__ import annotations

from tests.unit.bridge.clusters.conftest import bench, pytest_asyncio_loop_factories

__all__ = ["bench", "pytest_asyncio_loop_factories"]
