"""Cost: where the money goes, whether it is checked, when it ends."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.boards import shared
from grafana.boards.parts import (
    COUNT,
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
    on_network,
    steps,
)

ACCEPTED = f"sum({booked('rayongolem_spend_glm_total', by_type=True)})"
PAID = f"sum({booked('rayongolem_paid_glm_total', by_type=True)})"
REFUSED = 'increase(rayongolem_payment_documents_refused_total{network=~"$network"}[10m])'
LEFT = chosen("rayongolem_budget_remaining_glm")
RECORDED_BURN = 'cluster:rayongolem_burn_glm_per_hour:sum{cluster=~"$cluster"}'


def cost() -> dashboard.Dashboard:
    """The page about money."""
    page = board(
        "rog-cost",
        "Ray on Golem / Cost",
        "Where the money goes, what is due, accepted and paid, and how long the budget lasts.",
        cluster_variables(),
        span="now-6h",
    )
    return filled(
        page,
        shared.burn(),
        number(
            glm("Spent in 24 hours", "GLM accepted for payment in the last 24 hours."),
            Query(f"sum({booked('rayongolem_spend_glm_total', over='increase[24h]', by_type=True)}) or vector(0)"),
        ),
        number(glm("Accepted", "GLM accepted for payment since the books began."), Query(ACCEPTED)),
        number(glm("Paid", "GLM confirmed as paid on the chain since the books began."), Query(PAID)),
        number(
            glm("Not paid yet", "Accepted and not confirmed on the chain: yagna pays in batches."),
            Query(f"{ACCEPTED} - {PAID}"),
        ),
        number(
            About("Share of budget left", "Smallest of the clusters chosen.", "percentunit", 0),
            Query('min(cluster:rayongolem_budget_remaining:ratio{cluster=~"$cluster"})'),
            thresholds=steps((None, "red"), (0.05, "orange"), (0.2, "text")),
            may_end=True,
        ),
        lines(
            glm(
                "Due, accepted, paid",
                "Of the live clusters: what it can have cost at most by the bridge's clock, what was accepted, what is "
                "on the chain. Accepted above due would be overcharged.",
            ),
            Query(f"sum({chosen('rayongolem_exposure_glm')})", "due at most"),
            Query(f"sum({chosen('rayongolem_budget_accepted_glm')})", "accepted"),
            Query(f"sum({chosen('rayongolem_budget_paid_glm')})", "paid"),
            Query(f"sum({chosen('rayongolem_budget_glm')})", "budget"),
            dashed="budget",
        ),
        lines(
            glm("Budget left", "Now, and in an hour if it goes on as in the last 30 minutes."),
            Query(f"sum by (cluster) ({LEFT})", "{{cluster}}"),
            Query(
                'sum by (cluster) (predict_linear(rayongolem_budget_remaining_glm{cluster=~"$cluster"}[30m], 3600)'
                f" and {LEFT})",
                "{{cluster}} in an hour",
            ),
        ),
        lines(
            glm("Spend rate by node type", "Cost per hour of the machines rented now, all threads busy.", GLM_PER_HOUR),
            Query(f"sum by (node_type) ({chosen('rayongolem_burn_glm_per_hour', by_type=True)})", "{{node_type}}"),
            stacked=True,
        ),
        lines(
            glm("Accepted by purpose", "Starts, time rented (env), time computed (cpu), in each hour."),
            Query(
                f"sum by (kind) ({booked('rayongolem_spend_glm_total', over='increase[1h]', by_type=True)})", "{{kind}}"
            ),
            stacked=True,
        ),
        lines(
            glm(
                "Spend rate against the usual",
                "Of all clusters chosen, on average over 3 hours and over 7 days, without the times that had none.",
                GLM_PER_HOUR,
            ),
            Query(f"avg_over_time(sum({RECORDED_BURN})[3h:1m])", "3 hours"),
            Query(f"avg_over_time(sum({RECORDED_BURN})[7d:1m])", "7 days"),
        ),
        lines(
            glm("Spend rate while idle", "Spend rate × the share of processors that Ray says are idle.", GLM_PER_HOUR),
            Query(
                f"sum by (cluster) ({chosen('rayongolem_burn_glm_per_hour')})"
                ' * on (cluster) (1 - avg by (cluster) (ray_node_cpu_utilization{cluster=~"$cluster"}) / 100)',
                "{{cluster}}",
            ),
        ),
        lines(
            counted("Documents not accepted", "Debit notes and invoices within 10 minutes, by reason."),
            Query(
                f"sum by (document, reason) ({REFUSED})",
                "{{document}} {{reason}}",
            ),
        ),
        lines(
            glm("Wallet", "GLM on the chain, and how much of it is set aside for clusters and not spent."),
            Query(on_network("rayongolem_wallet_glm"), "in the wallet"),
            Query(on_network("rayongolem_allocated_remaining_glm"), "set aside"),
        ),
        lines(
            About("Gas", "The network's own coin in the wallet: each payment costs some, outside of budgets.", COUNT),
            Query(on_network("rayongolem_wallet_gas"), "left"),
        ),
        shared.node_table("Dearest nodes", "Nodes rented now, dearest first."),
    )
