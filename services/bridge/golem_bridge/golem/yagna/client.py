"""GolemPort on yagna."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from pydantic import BaseModel, TypeAdapter

from golem_bridge.clock import Clock, SystemClock
from golem_bridge.golem.yagna.activity import Activities
from golem_bridge.golem.yagna.market import Market
from golem_bridge.golem.yagna.network import Networks
from golem_bridge.golem.yagna.payment import Payments
from golem_bridge.golem.yagna.rest import Observe, Rest


class _WireIdentity(BaseModel):
    identity: str


_IDENTITY = TypeAdapter(_WireIdentity)


class YagnaGolem(Market, Activities, Networks, Payments):
    """Everything the bridge needs of yagna, over its REST API.

    Use as an async context manager, or :meth:`close` it. The app-key appears in no message, log or repr.
    """

    def __init__(self, api_url: str, app_key: str, *, clock: Clock | None = None) -> None:
        self._rest = Rest(api_url, app_key)
        self._clock = clock or SystemClock()

    def __repr__(self) -> str:
        return f"YagnaGolem({self._rest.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def observed_by(self, observe: Observe) -> None:
        """``observe`` is told of every call from now on."""
        self._rest.observe = observe

    async def identity(self) -> str:
        """Our node id (and, on the networks used here, wallet address). Raises YagnaUnavailableError."""
        answer = await self._rest.get("Cannot read our identity", "/me")
        return answer.read(_IDENTITY).identity

    async def close(self) -> None:
        """Close all connections."""
        await self._rest.close()
