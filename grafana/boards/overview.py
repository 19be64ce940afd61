"""Overview: what is rented, what it costs, what is left."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.boards import shared
from grafana.boards.parts import (
    COUNT,
    GLM_PER_HOUR,
    About,
    Column,
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
    rows,
    steps,
)

LEFT = chosen("rayongolem_budget_remaining_glm")
BURN = chosen("rayongolem_burn_glm_per_hour")
ALLOWED = f"sum({chosen('rayongolem_max_workers')}) + count({chosen('rayongolem_max_workers')})"


def overview() -> dashboard.Dashboard:
    """The first page."""
    page = board(
        "rog-overview",
        "Ray on Golem / Overview",
        "What is rented now, what it costs and how much of the budget is left.",
        cluster_variables(),
    )
    return filled(
        page,
        shared.running(),
        shared.pending(),
        shared.burn(),
        number(
            glm("Spent", "GLM accepted for payment since the books began."),
            Query(f"sum({booked('rayongolem_spend_glm_total', by_type=True)}) or vector(0)"),
        ),
        number(
            glm("Budget left", "Of the live clusters' budgets: neither spent nor set aside for running nodes."),
            Query(f"sum({LEFT})"),
            thresholds=steps((None, "red"), (0.000001, "text")),
            may_end=True,
        ),
        number(
            About(
                "Time left",
                "How long the budget lasts with the nodes of now, for the cluster where it ends first; empty without.",
                "s",
                0,
            ),
            Query(f"3600 * min(sum by (cluster) ({LEFT}) / (sum by (cluster) ({BURN}) > 0))"),
            may_end=True,
        ),
        lines(
            counted("Nodes by state", "How many nodes are in which state, and how many may be."),
            Query(f"sum by (state) ({chosen('rayongolem_nodes', by_type=True)})", "{{state}}"),
            Query(ALLOWED, "allowed"),
            stacked=True,
            dashed="allowed",
        ),
        lines(
            glm("Spend rate by cluster", "Cost per hour of the machines rented now, all threads busy.", GLM_PER_HOUR),
            Query(f"sum by (cluster) ({chosen('rayongolem_burn_glm_per_hour', by_type=True)})", "{{cluster}}"),
        ),
        lines(
            glm("Spend by cluster", "GLM accepted for payment and GLM confirmed on the chain, since the books began."),
            Query(f"sum by (cluster) ({booked('rayongolem_spend_glm_total', by_type=True)})", "{{cluster}} accepted"),
            Query(f"sum by (cluster) ({booked('rayongolem_paid_glm_total', by_type=True)})", "{{cluster}} paid"),
        ),
        lines(
            glm("Budget left by cluster", "Neither spent nor set aside for running nodes, and the whole."),
            Query(f"sum by (cluster) ({chosen('rayongolem_budget_remaining_glm')})", "{{cluster}} left"),
            Query(f"sum by (cluster) ({chosen('rayongolem_budget_glm')})", "{{cluster}} budget"),
        ),
        shared.ended(),
        rows(
            About("Alerts", "What fires now; each has a runbook of its name in docs/runbooks.", COUNT),
            Column('count by (alertname, severity, cluster) (ALERTS{alertstate="firing", alertname!="Watchdog"})'),
            width=12,
        ),
    )
