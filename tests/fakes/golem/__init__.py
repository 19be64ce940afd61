"""Golem in memory: a GolemPort with scriptable providers, for unit tests.

golem = MemoryGolem(clock=VirtualClock())
provider = golem.join(FakeProvider("one", refuses_agreements=True))
"""

from tests.fakes.golem.client import MemoryGolem
from tests.fakes.golem.provider import FakeProvider

__all__ = ["FakeProvider", "MemoryGolem"]
