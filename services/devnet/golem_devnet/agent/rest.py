"""The provider's side of yagna's REST API, as far as an agent needs it (yagna 0.17.6)."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import aiohttp

LONG_POLL = 5
"""Seconds."""

TIMEOUT = 30
"""Seconds for a request that is no long poll."""


class RestError(Exception):
    """yagna refused or did not answer."""


class ProviderRest:
    """One identity's view, by its app-key."""

    def __init__(self, api_url: str, app_key: str) -> None:
        self._session = aiohttp.ClientSession(
            api_url, headers={"Authorization": f"Bearer {app_key}"}, timeout=aiohttp.ClientTimeout(total=TIMEOUT)
        )

    async def close(self) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
        """Raises RestError."""
        try:
            async with self._session.request(method, path, json=body) as answer:
                text = await answer.text()
                if answer.status == 408:  # how /activity-api says that a long poll brought nothing
                    return []
                if answer.status >= 400:
                    raise RestError(f"{method} {path.partition('?')[0]}: {answer.status} {text[:300]}")
                return json.loads(text) if text else None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise RestError(f"{method} {path.partition('?')[0]}: {error or 'no answer'}") from error

    async def events(self, path: str, *, after: str | None = None) -> list[dict[str, Any]]:
        """Long-poll an event stream, from ``after`` (a timestamp) where the stream wants one."""
        query = {"timeout": str(LONG_POLL), "maxEvents": "20"}
        if after is not None:
            query["afterTimestamp"] = after
        return list(await self.call("GET", f"{path}?{urllib.parse.urlencode(query)}") or [])
