"""What the contract tests run against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from golem_bridge.clock import Clock
from golem_bridge.golem.port import GolemPort

PLATFORM = "erc20-hoodi-tglm"
NO_IMAGE = "hash:sha3:00:http://127.0.0.1/none"


@dataclass(frozen=True)
class World:
    """A Golem, its clock, and subnets by the manners of their providers (None: there is no such provider)."""

    golem: GolemPort
    clock: Clock
    honest: str
    refusing: str | None
    silent: str | None
    declining: str | None
    image: str = NO_IMAGE

    def expiry(self) -> timedelta:
        return timedelta(hours=1)
