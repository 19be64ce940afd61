"""What the bridge sees of yagna between scrapes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from golem_bridge.errors import YagnaUnavailableError
from golem_bridge.golem.types import PaymentProblem
from golem_bridge.money.funds import Funds
from golem_bridge.telemetry.watch import YagnaWatch
from tests.unit.bridge.samples import START
from tests.unit.bridge.telemetry.town import Town

PLATFORM = "erc20-hoodi-tglm"
EXPIRY = "rayongolem_allocation_expiry_timestamp_seconds"


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def watch(town: Town) -> YagnaWatch:
    return town.telemetry.watch


async def test_before_the_first_look_yagna_counts_as_down(town: Town) -> None:
    assert town.value("rayongolem_yagna_up") == 0
    assert town.samples("rayongolem_orphans") == []


async def test_a_calm_yagna(town: Town, watch: YagnaWatch) -> None:
    await watch.look()
    assert town.value("rayongolem_yagna_up") == 1
    assert town.value("rayongolem_payment_problems", problem="insufficient_gas") == 0
    assert {held["resource"]: value for held, value in town.samples("rayongolem_orphans")} == {
        "agreement": 0,
        "allocation": 0,
    }


async def test_funds_set_aside_for_a_live_cluster_are_no_orphan(town: Town, watch: YagnaWatch) -> None:
    cluster = town.cluster()
    allocation = await town.golem.create_allocation(Decimal(5), platform=PLATFORM, expires=START + timedelta(hours=1))
    await watch.look()
    assert watch.view.orphans["allocation"] == 1
    town.books.clusters.change(
        cluster.cluster_id, lambda cluster: replace(cluster, allocation_id=allocation.allocation_id)
    )
    await watch.look()
    assert watch.view.orphans["allocation"] == 0
    assert town.value("rayongolem_allocated_glm") == town.value("rayongolem_allocated_remaining_glm") == 5
    town.close(town.books.clusters.get(cluster.cluster_id))
    await watch.look()
    assert town.value("rayongolem_orphans", resource="allocation") == 1


async def test_a_cluster_shows_when_its_allocation_ends(town: Town, watch: YagnaWatch) -> None:
    cluster, expires = town.cluster(), START + timedelta(days=90)
    allocation = await town.golem.create_allocation(Decimal(5), platform=PLATFORM, expires=expires)
    await watch.look()
    assert town.samples(EXPIRY) == [], "it belongs to no cluster"
    town.books.clusters.change(
        cluster.cluster_id, lambda cluster: replace(cluster, allocation_id=allocation.allocation_id)
    )
    assert town.value(EXPIRY, cluster="demo") == expires.timestamp()
    town.close(town.books.clusters.get(cluster.cluster_id))
    town.clock.advance(16)
    assert town.samples(EXPIRY) == []


async def test_what_keeps_yagna_from_paying_is_counted(town: Town, watch: YagnaWatch) -> None:
    town.golem.problems = [PaymentProblem.INSUFFICIENT_GAS]
    await watch.look()
    assert town.value("rayongolem_payment_problems", problem="insufficient_gas") == 1
    assert town.value("rayongolem_payment_problems", problem="rpc_error") == 0


async def test_when_yagna_is_gone_old_news_is_not_told(town: Town, watch: YagnaWatch) -> None:
    await watch.look()
    town.golem.down = True
    with pytest.raises(YagnaUnavailableError):
        await watch.look()
    assert town.value("rayongolem_yagna_up") == 0
    assert town.samples("rayongolem_allocated_glm") == []


async def test_the_wallet_is_told_while_it_is_known(town: Town) -> None:
    assert town.samples("rayongolem_wallet_glm") == town.samples("rayongolem_wallet_gas") == []
    town.funds = Funds(glm=Decimal("999.5"), gas=Decimal("0.25"), coin="POL", at=START)
    assert town.value("rayongolem_wallet_glm") == 999.5
    assert town.value("rayongolem_wallet_gas") == 0.25
