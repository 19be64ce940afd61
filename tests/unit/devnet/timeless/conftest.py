"""Every test of this room runs on an event loop in which waiting takes no time; nothing here opens a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.fakes.loop import VirtualLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualLoop}
