"""Images by tag or hash, looked up where Golem's registry (or the devnet's catalogue) answers."""

from __future__ import annotations

import json
from dataclasses import dataclass

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from golem_bridge.errors import InputError, MarketError
from golem_bridge.market.requirements import DemandSpec

TIMEOUT = 15.0
"""Seconds per try."""

TRIES = 3

UNKNOWN = frozenset({400, 404, 422})
"""Statuses by which a registry says that there is no such image."""


@dataclass(frozen=True, slots=True)
class Image:
    """A VM image: where providers fetch it and the SHA3 they check it with."""

    url: str
    sha3: str


class ImageRegistry:
    """Looks images up; answers are remembered for the bridge's life (a tag is resolved once)."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._known: dict[tuple[str, str], Image] = {}

    async def resolve(self, wanted: DemandSpec) -> Image:
        """Raises InputError for an unknown image, MarketError if the registry fails."""
        kind, name = ("tag", wanted.image_tag) if wanted.image_tag else ("hash", wanted.image_hash or "")
        key = (kind, str(name))
        if key not in self._known:
            self._known[key] = await self._look_up(*key)
        return self._known[key]

    async def _look_up(self, kind: str, name: str) -> Image:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=0.5, max=5),
            retry=retry_if_exception_type((aiohttp.ClientConnectionError, TimeoutError)),
            reraise=True,
        )
        try:
            return await retrying(self._ask, kind, name)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise MarketError(
                f"Cannot look up image {kind} {name!r} — {self._base_url}: {error or 'no answer'} — "
                "see: docker compose ps"
            ) from error

    async def _ask(self, kind: str, name: str) -> Image:
        address = f"{self._base_url}/v1/image/info"
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(address, params={kind: name, "count": "false"}, allow_redirects=False) as answer,
        ):
            if answer.status in UNKNOWN:
                raise InputError(
                    f"Unknown image: {kind} {name!r} — the registry {self._base_url} answers {answer.status} — "
                    f"correct image_{kind} in the cluster file"
                )
            if answer.status != 200:
                raise MarketError(
                    f"Cannot look up image {kind} {name!r} — the registry {self._base_url} answers {answer.status} — "
                    "try again later"
                )
            content = await answer.read()
        try:
            body = json.loads(content)
            return Image(url=str(body["http"]), sha3=str(body["sha3"]))
        except (KeyError, TypeError, ValueError) as error:
            raise MarketError(
                f"The registry {self._base_url} does not describe image {name!r} — {error} — set IMAGE_REGISTRY_URL"
            ) from error
