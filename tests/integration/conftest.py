from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.devnet import is_up, switch
from tests.integration.requestor import Requestor, connected


@pytest.fixture(scope="session", autouse=True)
def appliance() -> None:
    assert is_up(), "these tests need a running appliance — run: make test"


@pytest.fixture
async def requestor() -> AsyncIterator[Requestor]:
    async with connected() as made:
        yield made


@pytest.fixture(scope="module")
def honest() -> Iterator[None]:
    """Everybody is honest and present before and after a module's tests."""
    switch("clear")
    yield
    switch("clear")
