"""A provider as a test wants it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal

from golem_bridge.golem.types import PropertyValue

PLATFORM = "erc20-hoodi-tglm"
DURATION = "golem.usage.duration_sec"
CPU_TIME = "golem.usage.cpu_sec"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
RELAY_TOKEN = "A" * 43 + "="
INTRODUCTION = f"host-key {HOST_KEY} \nrelay-token {RELAY_TOKEN}\n"


@dataclass
class FakeProvider:
    """What a provider offers and how it behaves; a test may change it at any time.

    Prices in GLM. ``delay`` (seconds) comes before each of its reactions; ``cpu_load`` is the part of its threads that
    is busy by its own account.
    """

    name: str
    subnet: str = "devnet"
    price_start: Decimal = Decimal("0.01")
    price_per_second: Decimal = Decimal("0.00001")
    price_per_cpu_second: Decimal = Decimal("0.00002")
    threads: int = 2
    memory_gib: float = 4.0
    storage_gib: float = 20.0
    capabilities: tuple[str, ...] = ("vpn", "inet", "manifest-support")
    extra_properties: dict[str, PropertyValue] = field(default_factory=dict)

    delay: float = 0.0
    cpu_load: Decimal = Decimal("0.5")
    rejects_proposals: bool = False
    silent_on_proposals: bool = False
    refuses_agreements: bool = False
    silent_on_agreements: bool = False
    fails_activities: bool = False
    failing_command: str | None = None
    """Name of the exe-script command that fails (deploy, start, run, ...)."""
    failure_message: str = "ExeUnit: exit code 1"
    hanging_command: str | None = None
    """Name of the exe-script command that never ends."""
    command_seconds: float = 0.0
    """How long each command takes."""
    run_output: str = INTRODUCTION
    """What each ``run`` prints: what a node says of itself when it is prepared."""
    ports: set[int] = field(default_factory=lambda: {22})
    """Ports on which its nodes listen; what is sent there comes back."""
    debit_note_interval: float | None = None
    """Seconds between the debit notes it sends by itself."""
    sends_invoices: bool = True
    """An honest invoice when an agreement ends."""
    vanished: bool = False
    """Does not answer to anything any more."""

    @property
    def provider_id(self) -> str:
        return "0x" + hashlib.sha256(self.name.encode()).hexdigest()[:40]

    def cost(self, seconds: Decimal) -> Decimal:
        """What it charges for an activity of that length."""
        cpu = seconds * self.threads * self.cpu_load
        total = self.price_start + self.price_per_second * seconds + self.price_per_cpu_second * cpu
        return total.quantize(Decimal("1e-15"))

    def usage(self, seconds: Decimal) -> tuple[Decimal, ...]:
        return seconds, seconds * self.threads * self.cpu_load

    def offer(self) -> dict[str, PropertyValue]:
        return {
            "golem.com.payment.debit-notes.accept-timeout?": 240,
            f"golem.com.payment.platform.{PLATFORM}.address": self.provider_id,
            "golem.com.payment.protocol.version": 3,
            "golem.com.pricing.model": "linear",
            "golem.com.pricing.model.linear.coeffs": [
                float(self.price_per_second),
                float(self.price_per_cpu_second),
                float(self.price_start),
            ],
            "golem.com.scheme": "payu",
            "golem.com.scheme.payu.debit-note.interval-sec?": 120,
            "golem.com.scheme.payu.payment-timeout-sec?": 120,
            "golem.com.usage.vector": [DURATION, CPU_TIME],
            "golem.inf.cpu.threads": self.threads,
            "golem.inf.mem.gib": self.memory_gib,
            "golem.inf.storage.gib": self.storage_gib,
            "golem.node.debug.subnet": self.subnet,
            "golem.node.id.name": self.name,
            "golem.runtime.capabilities": list(self.capabilities),
            "golem.runtime.name": "vm",
            **self.extra_properties,
        }
