"""Requests to yagna: through the generated REST clients where they can make them, else plainly.

The generated clients only build and send requests here; their answers are read raw, since their models choke on
(or silently bend) what yagna 0.17.6 and hostile providers put into them.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import aiohttp
import ya_activity
import ya_market
import ya_net
import ya_payment
from pydantic import TypeAdapter, ValidationError
from yapapi.config import ApiConfig
from yapapi.rest import Configuration

from golem_bridge.errors import GolemError, GolemTimeoutError, NotFoundError, YagnaUnavailableError
from golem_bridge.golem.yagna.failures import LOGS, failure, first_fault, quoted

CALL = 30.0
"""Seconds for a call that waits for nobody but yagna."""

MARGIN = 10.0
"""Seconds a long poll may take longer than it was asked to."""

CONNECT = 5.0
"""Seconds to reach yagna's port."""

T = TypeVar("T")

# the generated clients say they are typed, but are not
_market: Any = ya_market
_activity: Any = ya_activity
_net: Any = ya_net
_payment: Any = ya_payment

_REFUSALS = tuple(api.ApiException for api in (_market, _activity, _net, _payment))


@dataclass(frozen=True, slots=True)
class Answer:
    """What yagna answered to ``what`` (a sentence for the case that it is a failure)."""

    what: str
    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status <= 299

    @property
    def message(self) -> str:
        """yagna's error message (it may have none), or the text of the body."""
        text = self.body.decode("utf-8", errors="replace")
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if not isinstance(parsed, dict):
            return text
        return str(parsed.get("message") or parsed.get("detail") or "")

    def failure(self) -> GolemError:
        """The error this answer stands for."""
        return failure(self.what, self.status, self.message)

    def check(self, *, gone_is_fine: bool = False) -> None:
        """Raise the error this answer stands for, if it does; on request not that the thing is unknown or gone."""
        if self.ok:
            return
        failure = self.failure()
        if not (gone_is_fine and (isinstance(failure, NotFoundError) or self.status == 410)):
            raise failure

    def read(self, shape: TypeAdapter[T]) -> T:
        """The body in the given shape; raises the error this answer stands for, or GolemError."""
        self.check()
        try:
            return shape.validate_json(self.body)
        except ValidationError as error:
            raise GolemError(f"{self.what} — yagna's answer is not understood: {first_fault(error)} — {LOGS}") from None


Observe = Callable[[str, float, bool], None]
"""Told of each call: its name, the seconds it took, whether yagna failed; a refusal is no failure."""


class Rest:
    """Sends requests with the app-key. Everything is opened at first use, so construction needs no event loop."""

    def __init__(self, api_url: str, app_key: str) -> None:
        self.url = api_url.rstrip("/")
        self._configuration = Configuration(ApiConfig(api_url=self.url, app_key=app_key))
        self._opened: list[Any] = []
        self.observe: Observe = _ignore
        for module in (ya_market, ya_activity, ya_payment, ya_net):
            _keep_quiet(f"{module.__name__}.rest")

    def __repr__(self) -> str:
        return f"Rest({self.url!r})"

    @cached_property
    def market(self) -> Any:  # noqa: ANN401 - the generated clients have no types
        """Market API."""
        return _market.RequestorApi(self._open(self._configuration.market()))

    @cached_property
    def activity(self) -> Any:  # noqa: ANN401
        """Activity API: what changes something."""
        return _activity.RequestorControlApi(self._open(self._configuration.activity()))

    @cached_property
    def activity_state(self) -> Any:  # noqa: ANN401
        """Activity API: what only looks."""
        return _activity.RequestorStateApi(self._open(self._configuration.activity()))

    @cached_property
    def net(self) -> Any:  # noqa: ANN401
        """Network API."""
        return _net.RequestorApi(self._open(self._configuration.net()))

    @cached_property
    def payment(self) -> Any:  # noqa: ANN401
        """Payment API."""
        client = self._open(self._configuration.payment())
        client.client_side_validation = False  # it refuses what yagna takes: more than 100 payments in one answer
        return _payment.RequestorApi(client)

    @cached_property
    def session(self) -> aiohttp.ClientSession:
        """For what the generated clients cannot do. Unlimited connections: each channel to a node holds one."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"Authorization": f"Bearer {self._configuration.app_key}"},
        )

    def _open(self, client: Any) -> Any:  # noqa: ANN401
        client.deserialize = _as_it_came
        self._opened.append(client)
        return client

    async def call(
        self,
        what: str,
        method: Callable[..., Awaitable[Any]],
        *arguments: object,
        within: float = CALL,
        **query: object,
    ) -> Answer:
        """Make a call of a generated client, ``within`` seconds. Raises YagnaUnavailableError, GolemTimeoutError."""

        async def send(limit: aiohttp.ClientTimeout) -> Answer:
            try:
                response = await method(*arguments, _request_timeout=limit, **query)
            except _REFUSALS as refusal:
                return Answer(what, refusal.status, (refusal.body or "").encode())
            if response is None:  # the API describes no body for this call
                return Answer(what, 200, b"null")
            return Answer(what, response.status, response.data.encode())

        return await self._exchange(what, method.__name__, send, within)

    async def get(self, what: str, path: str, *, within: float = CALL, **query: str) -> Answer:
        """GET a path below yagna's address. Raises YagnaUnavailableError, GolemTimeoutError."""

        async def send(limit: aiohttp.ClientTimeout) -> Answer:
            async with self.session.get(self.url + path, params=query, timeout=limit) as response:
                return Answer(what, response.status, await response.read())

        return await self._exchange(what, "get", send, within)

    async def post(self, what: str, path: str, *, within: float = CALL) -> Answer:
        """POST nothing to a path below yagna's address. Raises YagnaUnavailableError, GolemTimeoutError."""

        async def send(limit: aiohttp.ClientTimeout) -> Answer:
            async with self.session.post(self.url + path, timeout=limit) as response:
                return Answer(what, response.status, await response.read())

        return await self._exchange(what, "post", send, within)

    async def _exchange(
        self, what: str, operation: str, send: Callable[[aiohttp.ClientTimeout], Awaitable[Answer]], within: float
    ) -> Answer:
        begin, failed = time.perf_counter(), True
        try:
            answer = await send(aiohttp.ClientTimeout(total=within, sock_connect=CONNECT))
            failed = answer.status >= 500
        except (aiohttp.ClientError, OSError) as error:
            # TimeoutError is an OSError, and aiohttp's connection timeouts are both kinds at once
            if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
                raise GolemTimeoutError(f"{what} — no answer of yagna in {within:.0f} s — {LOGS}") from None
            raise YagnaUnavailableError(f"{what} — yagna at {self.url}: {quoted(str(error))} — {LOGS}") from None
        finally:
            self.observe(operation, time.perf_counter() - begin, failed)
        return answer

    async def close(self) -> None:
        """Close all connections."""
        for client in self._opened:
            await client.close()
        if "session" in self.__dict__:
            await self.session.close()


def _ignore(operation: str, seconds: float, failed: bool) -> None:
    """Nobody observes."""


def _as_it_came(response: object, shape: str) -> object:
    """Instead of the clients' reading of answers."""
    return response


def _keep_quiet(logger: str) -> None:
    """The generated clients log whole requests, with the app-key, at level DEBUG: never let those through."""
    logging.getLogger(logger).addFilter(_not_debug)


def _not_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def timestamp(moment: datetime) -> str:
    """A moment as yagna takes it in queries."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
