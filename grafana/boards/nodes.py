"""Nodes & market: how quickly nodes come, why they fail, what the market asks."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.boards import shared
from grafana.boards.parts import (
    GLM_PER_HOUR,
    About,
    Query,
    board,
    booked,
    chosen,
    cluster_variables,
    counted,
    filled,
    glm,
    lines,
    number,
    steps,
)

PHASE_SUM = booked("rayongolem_provision_duration_seconds_sum", 'phase!="total"', over="increase[30m]")
PHASE_COUNT = booked("rayongolem_provision_duration_seconds_count", 'phase!="total"', over="increase[30m]")
TOTAL = booked("rayongolem_provision_duration_seconds_bucket", 'phase="total"', over="increase[30m]")


def nodes() -> dashboard.Dashboard:
    """The page about nodes and the market."""
    page = board(
        "rog-nodes",
        "Ray on Golem / Nodes & market",
        "How quickly nodes come up, why they fail, and what the market has to offer.",
        cluster_variables(),
    )
    ended = booked("rayongolem_nodes_ended_total", 'reason="start_failed"', over="increase[24h]", by_type=True)
    lost = booked("rayongolem_nodes_ended_total", 'reason="provider_lost"', over="increase[24h]", by_type=True)
    started = booked("rayongolem_nodes_started_total", over="increase[24h]", by_type=True)
    market = chosen("rayongolem_market_providers", by_type=True)
    running = chosen("rayongolem_nodes", 'state="running"', by_type=True)
    price = chosen("rayongolem_node_price_glm_per_hour")
    return filled(
        page,
        shared.running(),
        shared.pending(),
        number(counted("Started in 24 hours", "Nodes that came up."), Query(f"sum({started}) or vector(0)")),
        number(
            counted("Failed to start in 24 hours", "Nodes no provider could start."),
            Query(f"sum({ended}) or vector(0)"),
            thresholds=steps((None, "text"), (1, "orange")),
        ),
        number(
            counted("Lost in 24 hours", "Nodes whose provider ended them or went away."),
            Query(f"sum({lost}) or vector(0)"),
            thresholds=steps((None, "text"), (1, "orange")),
        ),
        number(
            About("Usual time to start", "Half of the nodes of the last 30 minutes were quicker.", "s", 0),
            Query(f"histogram_quantile(0.5, sum by (le) ({TOTAL}))"),
        ),
        lines(
            counted("Nodes by type", "Running nodes of each node type of the cluster file."),
            Query(f"sum by (node_type) ({running})", "{{node_type}}"),
            stacked=True,
        ),
        lines(
            About(
                "Provisioning time by phase",
                "Averages over 30 minutes, from Ray's wish to ssh.",
                "s",
                0,
            ),
            Query(f"sum by (phase) ({PHASE_SUM}) / (sum by (phase) ({PHASE_COUNT}) > 0)", "{{phase}}"),
            stacked=True,
        ),
        lines(
            About("Provisioning time", "Half and 95 % of the nodes of 30 minutes came up within.", "s", 0),
            Query(f"histogram_quantile(0.5, sum by (le) ({TOTAL}))", "half"),
            Query(f"histogram_quantile(0.95, sum by (le) ({TOTAL}))", "95 %"),
        ),
        shared.ended(),
        lines(
            counted("Providers on the market", "How far the newest offers come, until they are free to rent."),
            Query(f"max by (step) ({market})", "{{step}}"),
        ),
        lines(
            glm("Prices per hour", "Cheapest offer within all limits, and what the nodes of now cost.", GLM_PER_HOUR),
            Query(
                f"min by (node_type) ({chosen('rayongolem_market_cheapest_glm_per_hour', by_type=True)})",
                "cheapest offer for {{node_type}}",
            ),
            Query(f"min({price})", "cheapest node"),
            Query(f"max({price})", "dearest node"),
        ),
        lines(
            counted("What yagna does on the market", "Within 10 minutes, all clusters together."),
            Query("sum(increase(market_proposals_requestor_received[10m]))", "proposals received"),
            Query("sum(increase(market_proposals_requestor_countered[10m]))", "proposals answered"),
            Query("sum(increase(market_agreements_requestor_created[10m]))", "agreements proposed"),
            Query("sum(increase(market_agreements_requestor_approved[10m]))", "agreements approved"),
            Query("sum(increase(activity_requestor_created[10m]))", "activities"),
            width=24,
        ),
        shared.node_table("Nodes", "Nodes rented now, with provider, price and age."),
    )
