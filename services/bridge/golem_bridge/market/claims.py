"""Which providers a cluster uses or is talking to: one provider serves one node of a cluster at a time.

yagna binds a provider's VPN endpoint once per network, so a second node of one network on one provider fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Claims:
    """The providers taken within one cluster."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, provider_id: str) -> None:
        self._taken.add(provider_id)

    def release(self, provider_id: str) -> None:
        self._taken.discard(provider_id)

    def __contains__(self, provider_id: str) -> bool:
        return provider_id in self._taken

    def __len__(self) -> int:
        return len(self._taken)

    @contextmanager
    def held(self, provider_id: str) -> Iterator[None]:
        """Take for the time of a negotiation; given back if that fails."""
        self.take(provider_id)
        try:
            yield
        except BaseException:
            self.release(provider_id)
            raise
