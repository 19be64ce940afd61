"""``python -m golem_bridge.market.survey``: who could be rented right now, as JSON. Rents nothing, spends nothing.

A demand is matched by our own yagna, with offers it has heard of: no provider hears of one that nobody counters.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from golem_bridge.clock import Clock, SystemClock
from golem_bridge.errors import BridgeError
from golem_bridge.golem.port import MarketPort
from golem_bridge.golem.types import PropertyValue, Proposal
from golem_bridge.golem.yagna import YagnaGolem
from golem_bridge.market.demand import PaymentTerms, build_demand
from golem_bridge.market.images import Image
from golem_bridge.market.newest import Newest
from golem_bridge.market.offer import Offer
from golem_bridge.market.requirements import DemandSpec, NodeConfig
from golem_bridge.market.screening import RefusedOfferError, Screen
from golem_bridge.money.price import glm_text
from golem_bridge.settings import Settings, read_secret

LONGEST = 10.0
"""Seconds to gather offers; yagna proposes those it knows at once."""

QUIET = 2.0
"""Seconds without a further offer after which there is none."""

ANY_NODE = NodeConfig(demand=DemandSpec(image_hash="0" * 56))
"""No resource and no price is asked for; the image is never fetched."""


@dataclass(frozen=True)
class Survey:
    """Providers that offer virtual machines in a subnet, those among them that the bridge would consider, and the
    lowest price, in GLM per hour with all threads busy."""

    subnet: str
    seen: int
    usable: int
    cheapest_glm_per_hour: str | None


async def survey(golem: MarketPort, clock: Clock, settings: Settings, *, wallet: str) -> Survey:
    """Raises GolemError."""
    network = settings.golem_network
    demand = build_demand(
        ANY_NODE,
        Image(url="http://nowhere.invalid/image", sha3="0" * 56),
        _terms(settings, wallet),
        subnet=network.default_subnet,
        now=clock.now(),
    )
    screen = Screen(ANY_NODE, network.default_subnet)
    newest, offers = Newest(), dict[str, Offer | None]()
    demand_id = await golem.subscribe(demand)
    try:
        deadline = clock.monotonic() + LONGEST
        while (left := deadline - clock.monotonic()) > 0:
            events = await golem.proposals(demand_id, timeout=min(QUIET, left))
            if not events and offers:
                break
            for event in events:
                if isinstance(event, Proposal) and newest.is_news(event):
                    offers[event.provider_id] = _read(screen, event)
    finally:
        await golem.unsubscribe(demand_id)
    usable = [offer for offer in offers.values() if offer is not None]
    cheapest = min((offer.per_hour for offer in usable), default=None)
    return Survey(
        subnet=network.default_subnet,
        seen=len(offers),
        usable=len(usable),
        cheapest_glm_per_hour=None if cheapest is None else glm_text(cheapest),
    )


def _terms(settings: Settings, wallet: str) -> PaymentTerms:
    """As an allocation would have them written; none is made."""
    platform = settings.golem_network.payment_platform
    address = f"golem.com.payment.platform.{platform}.address"
    properties: Mapping[str, PropertyValue] = {address: wallet, "golem.com.payment.protocol.version": 3}
    return PaymentTerms(
        platform=platform,
        debit_note_interval=settings.agreed_debit_note_interval,
        payment_timeout=settings.payment_timeout,
        decoration=(properties, [f"({address}=*)"]),
    )


def _read(screen: Screen, proposal: Proposal) -> Offer | None:
    try:
        return screen.read(proposal)
    except RefusedOfferError:
        return None  # counted as seen, not as usable


async def _ask(settings: Settings) -> Survey:
    golem = YagnaGolem(settings.yagna_api_url, read_secret(settings.yagna_appkey_file))
    try:
        return await survey(golem, SystemClock(), settings, wallet=await golem.identity())
    finally:
        await golem.close()


if __name__ == "__main__":
    try:
        print(json.dumps(asdict(asyncio.run(_ask(Settings())))))  # noqa: T201 - this is the program's output
    except BridgeError as error:
        sys.exit(str(error))
