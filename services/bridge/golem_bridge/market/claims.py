"""Which providers a cluster uses or is talking to: one provider serves one node of a cluster at a time.

yagna binds a provider's VPN endpoint once per network, so a second node of one network on one provider fails.
Clusters may share a provider, but do not talk to it at the same time: it could sign with one of them only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Talks:
    """The providers somebody of this bridge negotiates with right now, and those that serve a cluster."""

    def __init__(self) -> None:
        self.serving: Counter[str] = Counter()
        """Number of clusters by provider."""
        self._partners: Counter[str] = Counter()
        self._watchers: list[Callable[[], None]] = []

    def __contains__(self, provider_id: str) -> bool:
        return self._partners[provider_id] > 0

    @contextmanager
    def with_(self, provider_id: str) -> Iterator[None]:
        """For the time of a negotiation or a signature."""
        self._partners[provider_id] += 1
        try:
            yield
        finally:
            self._partners -= Counter([provider_id])  # drops what comes to 0
            self.tell()

    def tell(self) -> None:
        """A provider may have become free."""
        for watcher in list(self._watchers):
            watcher()

    @contextmanager
    def watched(self, on_change: Callable[[], None]) -> Iterator[None]:
        """Call back, meanwhile, whenever a provider may have become free, in any cluster."""
        self._watchers.append(on_change)
        try:
            yield
        finally:
            self._watchers.remove(on_change)


class Claims:
    """The providers taken within one cluster; ``talks`` are shared by all clusters."""

    def __init__(self, talks: Talks | None = None) -> None:
        self.talks = talks or Talks()
        self._taken: set[str] = set()

    def take(self, provider_id: str) -> None:
        if provider_id not in self._taken:
            self._taken.add(provider_id)
            self.talks.serving[provider_id] += 1

    def release(self, provider_id: str) -> None:
        if provider_id in self._taken:
            self._taken.discard(provider_id)
            self.talks.serving -= Counter([provider_id])
        self.talks.tell()

    def is_free(self, provider_id: str) -> bool:
        """Neither taken in this cluster nor talked to for any other."""
        return provider_id not in self._taken and provider_id not in self.talks

    def serves_elsewhere(self, provider_id: str) -> bool:
        """Whether another cluster has it: it may have no room for a second node, and its offer be out of date."""
        return self.talks.serving[provider_id] > (provider_id in self._taken)

    def __contains__(self, provider_id: str) -> bool:
        return provider_id in self._taken

    def __len__(self) -> int:
        return len(self._taken)

    @contextmanager
    def held(self, provider_id: str) -> Iterator[None]:
        """Take for the time of a negotiation; given back if that fails."""
        self.take(provider_id)
        try:
            with self.talks.with_(provider_id):
                yield
        except BaseException:
            self.release(provider_id)
            raise
