"""Overview: what is rented, what it costs, what is left."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.boards.parts import (
    CLUSTER,
    COUNT,
    GLM_PER_HOUR,
    About,
    Query,
    board,
    cluster_variable,
    filled,
    glm,
    lines,
    number,
    steps,
)

PENDING = "requested|negotiating|agreed|deploying|starting|bootstrapping"


def overview() -> dashboard.Dashboard:
    """The first page."""
    page = board(
        "rog-overview",
        "Ray on Golem / Overview",
        "What is rented now, what it costs and how much of the budget is left.",
        [cluster_variable()],
    )
    return filled(
        page,
        number(
            About("Nodes running", "Rented machines on which Ray runs.", COUNT),
            Query(f'sum(rayongolem_nodes{{{CLUSTER}, state="running"}})'),
        ),
        number(
            About("Nodes on their way", "Asked for by Ray and not running yet, from the search to Ray's start.", COUNT),
            Query(f'sum(rayongolem_nodes{{{CLUSTER}, state=~"{PENDING}"}})'),
        ),
        number(
            glm("Spend rate", "What all nodes rented now cost per hour with all threads busy.", GLM_PER_HOUR),
            Query(f"sum(rayongolem_node_price_glm_per_hour{{{CLUSTER}}}) or vector(0)"),
        ),
        number(
            glm("Spent", "GLM accepted for payment since the books began."),
            Query(f"sum(rayongolem_spend_glm_total{{{CLUSTER}}})"),
        ),
        number(
            glm("Budget left", "Of the live clusters' budgets: neither spent nor set aside for running nodes."),
            Query(f"sum(rayongolem_budget_remaining_glm{{{CLUSTER}}})"),
            thresholds=steps((None, "red"), (0.000001, "text")),
        ),
        number(
            About(
                "Time left", "How long the budget lasts if the nodes of now stay; none while nothing is rented.", "h", 1
            ),
            Query(
                f"sum(rayongolem_budget_remaining_glm{{{CLUSTER}}})"
                f" / (sum(rayongolem_node_price_glm_per_hour{{{CLUSTER}}}) > 0)"
            ),
        ),
        lines(
            About("Nodes by state", "How many nodes are in which state; ended ones are not counted.", COUNT, 0),
            Query(f"sum by (state) (rayongolem_nodes{{{CLUSTER}}})", "{{state}}"),
            stacked=True,
        ),
        lines(
            glm("Spend rate by cluster", "Cost per hour of the nodes rented now, all threads busy.", GLM_PER_HOUR),
            Query(f"sum by (cluster) (rayongolem_node_price_glm_per_hour{{{CLUSTER}}})", "{{cluster}}"),
        ),
        lines(
            glm("Spend by cluster", "GLM accepted for payment and GLM confirmed on the chain, since the books began."),
            Query(f"sum by (cluster) (rayongolem_spend_glm_total{{{CLUSTER}}})", "{{cluster}} accepted"),
            Query(f"sum by (cluster) (rayongolem_paid_glm_total{{{CLUSTER}}})", "{{cluster}} paid"),
        ),
        lines(
            glm(
                "Budget left by cluster", "Of the live cluster's budget: neither spent nor set aside for running nodes."
            ),
            Query(f"sum by (cluster) (rayongolem_budget_remaining_glm{{{CLUSTER}}})", "{{cluster}} left"),
            Query(f"sum by (cluster) (rayongolem_budget_glm{{{CLUSTER}}})", "{{cluster}} budget"),
        ),
    )
