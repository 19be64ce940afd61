"""What we publish on the market: properties and constraints of a demand for one node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from golem_bridge.golem.types import Demand, Properties, PropertyValue
from golem_bridge.market.images import Image
from golem_bridge.market.manifest import encoded_manifest
from golem_bridge.market.requirements import NodeConfig

LIFETIME = timedelta(days=90)
"""How long agreements may last: yagna ends them at the demand's expiration."""

ACCEPT_TIMEOUT = 240
"""Seconds a provider waits for a debit note to be accepted before it breaks the agreement."""

SUBNET = "golem.node.debug.subnet"
DEBIT_NOTE_INTERVAL = "golem.com.scheme.payu.debit-note.interval-sec?"
PAYMENT_TIMEOUT = "golem.com.scheme.payu.payment-timeout-sec?"
DEBIT_NOTE_ACCEPT_TIMEOUT = "golem.com.payment.debit-notes.accept-timeout?"


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """How a cluster pays. Seconds; ``decoration`` is what yagna wants a payable demand to carry."""

    platform: str
    debit_note_interval: int
    payment_timeout: int
    decoration: tuple[Properties, Sequence[str]]


def build_demands(
    config: NodeConfig, image: Image, terms: PaymentTerms, *, subnet: str, now: datetime
) -> Sequence[Demand]:
    """The demands for one kind of node, one per subnet, the preferred subnet first. ``subnet`` is the default."""
    subnets = (config.priority_subnet_tag, config.subnet_tag or subnet)
    return [build_demand(config, image, terms, subnet=tag, now=now) for tag in dict.fromkeys(subnets) if tag]


def build_demand(config: NodeConfig, image: Image, terms: PaymentTerms, *, subnet: str, now: datetime) -> Demand:
    """The demand for one kind of node in one subnet."""
    properties, constraints = terms.decoration
    outbound = config.demand.outbound_urls
    return Demand(
        properties={
            **properties,
            SUBNET: subnet,
            "golem.srv.comp.expiration": int((now + LIFETIME).timestamp() * 1000),
            "golem.srv.caps.multi-activity": True,
            "golem.srv.comp.vm.package_format": "gvmkit-squash",
            "golem.srv.comp.task_package": f"hash:sha3:{image.sha3}:{image.url}",
            **({"golem.srv.comp.payload": encoded_manifest(image, outbound, now=now)} if outbound else {}),
            "golem.com.payment.chosen-platform": terms.platform,
            DEBIT_NOTE_ACCEPT_TIMEOUT: ACCEPT_TIMEOUT,
            DEBIT_NOTE_INTERVAL: terms.debit_note_interval,
            PAYMENT_TIMEOUT: terms.payment_timeout,
        },
        constraints=_all_of([*_constraints(config, subnet), *constraints]),
    )


def negotiated(demand: Demand) -> dict[str, PropertyValue]:
    """The values a provider has to take over: properties whose names end in ``?``."""
    return {name: value for name, value in demand.properties.items() if name.endswith("?")}


def _constraints(config: NodeConfig, subnet: str) -> list[str]:
    wanted = config.demand
    constraints = [
        f"({SUBNET}={_escaped(subnet)})",
        f"(golem.runtime.name={_escaped(wanted.runtime)})",
        *(f"(golem.runtime.capabilities={_escaped(name)})" for name in wanted.needed_capabilities),
        "(golem.com.pricing.model=linear)",
    ]
    at_least = (
        ("golem.inf.mem.gib", wanted.min_mem_gib),
        ("golem.inf.storage.gib", wanted.min_storage_gib),
        ("golem.inf.cpu.threads", wanted.min_cpu_threads),
    )
    constraints += [f"({name}>={value})" for name, value in at_least if value]
    if wanted.max_cpu_threads is not None:
        constraints.append(f"(golem.inf.cpu.threads<={wanted.max_cpu_threads})")
    return constraints


def _all_of(constraints: Sequence[str]) -> str:
    return f"(&{''.join(constraints)})"


def _escaped(value: str) -> str:
    """RFC 4515 escapes: a value cannot add constraints of its own."""
    return "".join(f"\\{ord(char):02x}" if char in "()*\\\0" else char for char in value)
