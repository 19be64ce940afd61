"""Panels that stand on more than one page."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, table, timeseries

from grafana.boards.parts import (
    COUNT,
    GLM,
    GLM_DECIMALS,
    GLM_PER_HOUR,
    About,
    Column,
    Query,
    booked,
    chosen,
    counted,
    glm,
    lines,
    number,
    rows,
)

PENDING = 'state=~"requested|negotiating|agreed|deploying|starting|bootstrapping"'


def running() -> stat.Panel:
    """How many nodes work."""
    nodes = chosen("rayongolem_nodes", 'state="running"', by_type=True)
    return number(
        About("Nodes running", "Rented machines on which Ray runs.", COUNT), Query(f"sum({nodes}) or vector(0)")
    )


def pending() -> stat.Panel:
    """How many nodes are awaited."""
    nodes = chosen("rayongolem_nodes", PENDING, by_type=True)
    return number(
        About("Nodes on their way", "Asked for by Ray and not running yet, from the search to Ray's start.", COUNT),
        Query(f"sum({nodes}) or vector(0)"),
    )


def burn() -> stat.Panel:
    """What it costs per hour."""
    rate = chosen("rayongolem_burn_glm_per_hour", by_type=True)
    return number(
        glm("Spend rate", "What all machines rented now cost per hour with all threads busy.", GLM_PER_HOUR),
        Query(f"sum({rate}) or vector(0)"),
    )


def ended() -> timeseries.Panel:
    """How nodes ended."""
    counts = booked("rayongolem_nodes_ended_total", over="increase[10m]", by_type=True)
    return lines(
        counted(
            "Nodes ended by reason",
            "Ends within 10 minutes. Requested is Ray's or the user's wish; all others are worth a look.",
        ),
        Query(f"sum by (reason) ({counts})", "{{reason}}"),
    )


def node_table(title: str, description: str) -> table.Panel:
    """The live nodes, dearest first."""
    info = chosen("rayongolem_node_info", by_type=True)
    named = "cluster, node_id, node_type, kind, provider_name"

    def of(metric: str) -> str:
        return f"sum by (cluster, node_id) ({chosen(metric)})"

    return rows(
        About(title, description, GLM, GLM_DECIMALS),
        Column(f"sum by ({named}) ({info})"),
        Column(of("rayongolem_node_price_glm_per_hour"), "Price per hour", GLM_PER_HOUR, GLM_DECIMALS),
        Column(of("rayongolem_node_start_price_glm"), "Start price", GLM, GLM_DECIMALS),
        Column(of("rayongolem_node_spend_glm"), "Accepted", GLM, GLM_DECIMALS),
        Column(of("rayongolem_node_cpu_threads"), "Threads", COUNT, 0),
        Column(f"time() - {of('rayongolem_node_start_timestamp_seconds')}", "Rented for", "s", 0),
        Column(f"time() - {of('rayongolem_node_last_heard_timestamp_seconds')}", "Silent for", "s", 0),
        sorted_by="Price per hour",
    )
