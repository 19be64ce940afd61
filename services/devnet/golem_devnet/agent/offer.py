"""The offer on the market: the properties a VM provider publishes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from golem_devnet.agent.config import AgentConfig
from golem_devnet.faults.model import HONEST, Faults

USAGE_VECTOR = ("golem.usage.duration_sec", "golem.usage.cpu_sec")
ACCEPT_TIMEOUT = "golem.com.payment.debit-notes.accept-timeout?"
NOTE_INTERVAL = "golem.com.scheme.payu.debit-note.interval-sec?"
PAYMENT_TIMEOUT = "golem.com.scheme.payu.payment-timeout-sec?"
NEGOTIABLE = {ACCEPT_TIMEOUT: 240, NOTE_INTERVAL: 120, PAYMENT_TIMEOUT: 120}
"""Seconds; what the requestor asks instead is taken over."""


def build_offer(config: AgentConfig, faults: Faults = HONEST) -> dict[str, Any]:
    """Body of ``POST /market-api/v1/offers``."""
    provider = config.provider
    subnet = faults.subnet or config.subnet
    note_interval = faults.note_interval or NEGOTIABLE[NOTE_INTERVAL]
    prices = [provider.per_env_second, provider.per_cpu_second, provider.start_price]
    properties: dict[str, Any] = {
        f"golem.com.payment.platform.{config.platform}.address": config.node_id,
        "golem.com.payment.protocol.version": 3,
        "golem.com.pricing.model": "linear",
        "golem.com.pricing.model.linear.coeffs": [float(price) for price in prices],
        "golem.com.scheme": "payu",
        "golem.com.usage.vector": list(USAGE_VECTOR),
        "golem.activity.caps.transfer.protocol": ["http", "https"],
        "golem.inf.cpu.architecture": "x86_64",
        "golem.inf.cpu.cores": provider.threads,
        "golem.inf.cpu.threads": provider.threads,
        "golem.inf.cpu.capabilities": ["sse2"],
        "golem.inf.mem.gib": provider.memory_gib,
        "golem.inf.storage.gib": provider.storage_gib,
        "golem.node.debug.subnet": subnet,
        "golem.node.id.name": provider.name,
        "golem.node.net.is-public": False,
        "golem.runtime.name": "vm",
        "golem.runtime.version": "0.5.3",
        "golem.runtime.capabilities": list(provider.capabilities),
        "golem.srv.caps.multi-activity": True,
        "golem.srv.caps.payload-manifest": "manifest-support" in provider.capabilities,
        **NEGOTIABLE,
        NOTE_INTERVAL: note_interval,
    }
    now = int(time.time() * 1000)
    constraints = f"(&(golem.srv.comp.expiration>{now})(golem.node.debug.subnet={subnet}))"
    return {"properties": properties, "constraints": constraints}


def answer(offer: Mapping[str, Any], demand: Mapping[str, Any]) -> dict[str, Any]:
    """The offer again, with the negotiable values the requestor chose, as far as they are sane."""
    properties = dict(offer["properties"])
    for name in NEGOTIABLE:
        wanted = demand.get(name)
        if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted > 0:
            properties[name] = wanted
    return {"properties": properties, "constraints": offer["constraints"]}
