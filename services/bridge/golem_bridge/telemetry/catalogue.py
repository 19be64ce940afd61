"""Every metric of the bridge's own, in one table: the collector and docs/METRICS.md are made from it."""

from __future__ import annotations

from collections.abc import Mapping

from golem_bridge.telemetry.entry import Entry, Life, MetricKind

PHASE_BUCKETS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 420.0, 600.0, 900.0)
"""Seconds: from a devnet's quick start to an image of gigabytes pulled over a slow line."""

HTTP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds; the last ones are long polls."""

LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""


LABELS: Mapping[str, str] = {
    "cluster": "`cluster_name` of the cluster file",
    "node_type": "its key under `available_node_types`",
    "state": "requested, negotiating, agreed, deploying, starting, bootstrapping, running, terminating",
    "reason": "for nodes: requested, budget, provider_lost, start_failed, orphan, shutdown; "
    "for documents: why the document was not accepted",
    "kind": "for money: start, env (time rented), cpu (time computed), other; for nodes: head, worker",
    "node_id": "the node's id; only on metrics of live nodes",
    "provider_id": "the provider's address; on node_info only",
    "provider_name": "the name the provider gives itself, at most 64 characters; on node_info only",
    "phase": "search (until a provider signs), agreement (until its activity), start (until Ray can start), total",
    "step": "seen, usable, as demanded, within each limit that is set, within all limits, free, negotiated, agreed",
    "document": "debit_note, invoice",
    "resource": "agreement, allocation",
    "problem": "insufficient_gas, insufficient_glm, rpc_error, tx_stuck, other",
    "operation": "name of the call in yagna's API; get: those without a name",
    "level": "debug, info, warning, error, critical",
    "loop": "name of the background loop",
    "door": "host (the user, Prometheus), head (a cluster's head node)",
    "route": "the route's template, never the path asked for; none: refused at the door, or no such route",
    "method": "HTTP method; other: none of the usual ones",
    "code": "HTTP status",
    "version": "version of the bridge",
    "network": "devnet, hoodi, polygon; only what happened on the one the bridge runs on is told",
}
"""What each label holds."""

BUILD = Entry("build", MetricKind.INFO, "1", "What runs here", ("version", "network"))

NODES = Entry(
    "nodes",
    MetricKind.GAUGE,
    "nodes",
    "Nodes by state; every state of every node type is always present",
    ("cluster", "node_type", "state"),
    Life.CLUSTER,
)
MAX_WORKERS = Entry("max_workers", MetricKind.GAUGE, "nodes", "Workers allowed", ("cluster",), Life.CLUSTER)
NODES_REQUESTED = Entry(
    "nodes_requested",
    MetricKind.COUNTER,
    "nodes",
    "Nodes Ray asked for",
    ("network", "cluster", "node_type"),
    Life.CLUSTER,
)
NODES_STARTED = Entry(
    "nodes_started",
    MetricKind.COUNTER,
    "nodes",
    "Nodes that came up: ssh answered",
    ("network", "cluster", "node_type"),
    Life.CLUSTER,
)
NODES_ENDED = Entry(
    "nodes_ended",
    MetricKind.COUNTER,
    "nodes",
    "Nodes ended or being ended, by reason",
    ("network", "cluster", "node_type", "reason"),
    Life.CLUSTER,
)
PROVISION = Entry(
    "provision_duration_seconds",
    MetricKind.HISTOGRAM,
    "seconds",
    "Time from a node's request to its start, by phase; providers tried in vain count as search",
    ("network", "cluster", "phase"),
    Life.CLUSTER,
    PHASE_BUCKETS,
)

MARKET = Entry(
    "market_providers",
    MetricKind.GAUGE,
    "providers",
    "Providers whose newest offer came as far as a step; negotiated and agreed count since the cluster started",
    ("cluster", "node_type", "step"),
    Life.CLUSTER,
)
MARKET_PRICE = Entry(
    "market_cheapest_glm_per_hour",
    MetricKind.GAUGE,
    "GLM/h",
    "Lowest price within all limits on the market, with all threads busy, in GLM per hour",
    ("cluster", "node_type"),
    Life.CLUSTER,
)

NODE = Entry(
    "node",
    MetricKind.INFO,
    "1",
    "Who a live node is, and whose machine",
    ("cluster", "node_id", "node_type", "kind", "provider_id", "provider_name"),
    Life.NODE,
)
NODE_PRICE = Entry(
    "node_price_glm_per_hour",
    MetricKind.GAUGE,
    "GLM/h",
    "Agreed price of a live node with all its threads busy, in GLM per hour",
    ("cluster", "node_id"),
    Life.NODE,
)
NODE_START_PRICE = Entry(
    "node_start_price_glm",
    MetricKind.GAUGE,
    "GLM",
    "Agreed price of starting a live node, in GLM",
    ("cluster", "node_id"),
    Life.NODE,
)
NODE_THREADS = Entry(
    "node_cpu_threads",
    MetricKind.GAUGE,
    "threads",
    "Threads a live node was rented with",
    ("cluster", "node_id"),
    Life.NODE,
)
NODE_SPEND = Entry(
    "node_spend_glm",
    MetricKind.GAUGE,
    "GLM",
    "GLM accepted for a live node's agreement so far",
    ("cluster", "node_id"),
    Life.NODE,
)
NODE_SINCE = Entry(
    "node_start_timestamp_seconds",
    MetricKind.GAUGE,
    "seconds since 1970",
    "When a live node's activity was begun: since then it costs",
    ("cluster", "node_id"),
    Life.NODE,
)
NODE_HEARD = Entry(
    "node_last_heard_timestamp_seconds",
    MetricKind.GAUGE,
    "seconds since 1970",
    "When the relay of a node that runs Ray was heard of last, every 5 s while its link is up; without a link since "
    "the bridge started: when that was; absent while the VPN is lost, as then only heads are asked",
    ("cluster", "node_id"),
    Life.NODE,
)

TUNNEL = Entry(
    "tunnel_up",
    MetricKind.GAUGE,
    "1",
    "Whether the tunnel from the head to its door is open (1) or not (0); without it Ray cannot ask for nodes",
    ("cluster",),
    Life.CLUSTER,
)
TUNNEL_RESTARTS = Entry(
    "tunnel_restarts", MetricKind.COUNTER, "times", "Times the tunnel was opened again", ("cluster",), Life.CLUSTER
)
HEAD_ASKED = Entry(
    "head_last_request_timestamp_seconds",
    MetricKind.GAUGE,
    "seconds since 1970",
    "When a running head asked the bridge for something last: its autoscaler does every 5 s; since it runs, or the "
    "bridge was started, if it has not yet",
    ("cluster",),
    Life.CLUSTER,
)

SPEND = Entry(
    "spend_glm",
    MetricKind.COUNTER,
    "GLM",
    "GLM accepted, by what it was for",
    ("network", "cluster", "node_type", "kind"),
    Life.MONEY,
)
PAID = Entry(
    "paid_glm",
    MetricKind.COUNTER,
    "GLM",
    "GLM confirmed as paid on the chain",
    ("network", "cluster", "node_type"),
    Life.MONEY,
)
BURN = Entry(
    "burn_glm_per_hour",
    MetricKind.GAUGE,
    "GLM/h",
    "What all rented machines cost per hour with all threads busy, in GLM",
    ("cluster", "node_type"),
    Life.CLUSTER,
)
BUDGET = Entry("budget_glm", MetricKind.GAUGE, "GLM", "Budget of the cluster in GLM", ("cluster",), Life.CLUSTER)
BUDGET_LEFT = Entry(
    "budget_remaining_glm",
    MetricKind.GAUGE,
    "GLM",
    "Budget neither spent nor reserved, in GLM",
    ("cluster",),
    Life.CLUSTER,
)
EXPOSURE = Entry(
    "exposure_glm",
    MetricKind.GAUGE,
    "GLM",
    "Most the cluster will have cost if everything is ended now, by the bridge's own clock",
    ("cluster",),
    Life.CLUSTER,
)
BUDGET_ACCEPTED = Entry(
    "budget_accepted_glm",
    MetricKind.GAUGE,
    "GLM",
    "Of the cluster's budget: accepted for payment",
    ("cluster",),
    Life.CLUSTER,
)
BUDGET_PAID = Entry(
    "budget_paid_glm",
    MetricKind.GAUGE,
    "GLM",
    "Of the cluster's budget: confirmed as paid on the chain",
    ("cluster",),
    Life.CLUSTER,
)
ALLOCATION_EXPIRY = Entry(
    "allocation_expiry_timestamp_seconds",
    MetricKind.GAUGE,
    "seconds since 1970",
    "When yagna gives the wallet back what is set aside for the cluster: nothing is accepted from it afterwards",
    ("cluster",),
    Life.CLUSTER,
)
WALLET = Entry(
    "wallet_glm",
    MetricKind.GAUGE,
    "GLM",
    "GLM in the wallet, as yagna said within the last two minutes; what is set aside included",
)
WALLET_GAS = Entry(
    "wallet_gas",
    MetricKind.GAUGE,
    "coins",
    "What the wallet holds of the network's own coin, for transaction fees, as yagna said within the last two minutes",
)
ALLOCATED = Entry("allocated_glm", MetricKind.GAUGE, "GLM", "GLM set aside at yagna in all allocations together")
ALLOCATED_LEFT = Entry(
    "allocated_remaining_glm", MetricKind.GAUGE, "GLM", "Of the GLM set aside at yagna: not spent on accepted documents"
)

DOCUMENTS_RECEIVED = Entry(
    "payment_documents_received",
    MetricKind.COUNTER,
    "documents",
    "Debit notes and invoices received",
    ("network", "document"),
)
DOCUMENTS_ACCEPTED = Entry(
    "payment_documents_accepted",
    MetricKind.COUNTER,
    "documents",
    "Debit notes and invoices accepted, thus paid",
    ("network", "document"),
)
DOCUMENTS_REFUSED = Entry(
    "payment_documents_refused",
    MetricKind.COUNTER,
    "documents",
    "Debit notes and invoices not accepted, by reason",
    ("network", "document", "reason"),
)

YAGNA_UP = Entry("yagna_up", MetricKind.GAUGE, "1", "Whether yagna answered the bridge's last look (1) or not (0)")
PAYMENT_PROBLEMS = Entry(
    "payment_problems",
    MetricKind.GAUGE,
    "problems",
    "What keeps yagna from paying right now",
    ("problem",),
)
ORPHANS = Entry(
    "orphans",
    MetricKind.GAUGE,
    "things",
    "What lives at yagna although no live cluster needs it: it may cost money",
    ("resource",),
)

YAGNA_SECONDS = Entry(
    "yagna_api_duration_seconds",
    MetricKind.HISTOGRAM,
    "seconds",
    "Time yagna took to answer the bridge; long polls included",
    ("operation",),
    Life.ALWAYS,
    HTTP_BUCKETS,
)
YAGNA_ERRORS = Entry(
    "yagna_api_errors",
    MetricKind.COUNTER,
    "calls",
    "Calls that yagna did not answer or answered 5xx",
    ("operation",),
)

LOGGED = Entry("log_messages", MetricKind.COUNTER, "messages", "Messages in the bridge's log", ("level",))

LOOP_STEPS = Entry("loop_steps", MetricKind.COUNTER, "steps", "Steps of a background loop", ("loop",))
LOOP_FAILURES = Entry("loop_failures", MetricKind.COUNTER, "steps", "Steps of a background loop that failed", ("loop",))
LOOP_SUCCESS = Entry(
    "loop_last_success_timestamp_seconds",
    MetricKind.GAUGE,
    "seconds since 1970",
    "When a background loop last did its work; before the first time: when the bridge started",
    ("loop",),
)

HTTP_REQUESTS = Entry(
    "http_requests", MetricKind.COUNTER, "requests", "Requests answered", ("door", "route", "method", "code")
)
HTTP_SECONDS = Entry(
    "http_request_duration_seconds",
    MetricKind.HISTOGRAM,
    "seconds",
    "Time to the end of the answer; long polls and relays included",
    ("door", "route", "method"),
    Life.ALWAYS,
    HTTP_BUCKETS,
)
LAG = Entry(
    "event_loop_lag_seconds",
    MetricKind.HISTOGRAM,
    "seconds",
    "How much later than asked for the bridge's event loop ran",
    (),
    Life.ALWAYS,
    LAG_BUCKETS,
)

CATALOGUE: tuple[Entry, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Entry))
"""All of the above, in that order."""
