"""Bridge: whether the appliance itself does its work."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.boards.parts import (
    About,
    Query,
    board,
    counted,
    filled,
    lines,
    network_variable,
    number,
    on_network,
    steps,
)

REQUESTS = on_network("rayongolem_http_requests_total", over="rate[$__rate_interval]")
FAILED = on_network('rayongolem_http_requests_total{code=~"5.."}', over="rate[$__rate_interval]")
REFUSED = on_network('rayongolem_http_requests_total{code=~"401|403"}', over="increase[10m]")
SECONDS = on_network("rayongolem_http_request_duration_seconds_bucket", over="rate[5m]")
LOGGED = on_network("rayongolem_log_messages_total", over="increase[10m]")
CALLS = on_network("rayongolem_yagna_api_duration_seconds_bucket", over="rate[5m]")
CALL_ERRORS = on_network("rayongolem_yagna_api_errors_total", over="increase[10m]")
LAG = on_network("rayongolem_event_loop_lag_seconds_bucket", over="rate[5m]")
GOOD_IS_ONE = steps((None, "red"), (1, "green"))
GOOD_IS_NONE = steps((None, "green"), (1, "red"))


def bridge() -> dashboard.Dashboard:
    """The page about the bridge and yagna."""
    page = board(
        "rog-bridge",
        "Ray on Golem / Bridge",
        "Whether the bridge, its loops, its doors and yagna do their work.",
        [network_variable()],
    )
    return filled(
        page,
        number(
            counted("Bridge", "1: Prometheus got an answer of the bridge."),
            Query('min(up{job="bridge"})'),
            thresholds=GOOD_IS_ONE,
        ),
        number(
            counted("yagna", "1: the bridge got an answer of yagna."),
            Query(f"min({on_network('rayongolem_yagna_up')})"),
            thresholds=GOOD_IS_ONE,
            may_end=True,
        ),
        number(
            counted("Orphans", "What lives at yagna although no cluster needs it: it may cost money."),
            Query(f"sum({on_network('rayongolem_orphans')})"),
            thresholds=GOOD_IS_NONE,
            may_end=True,
        ),
        number(
            counted("Payment problems", "What keeps yagna from paying right now."),
            Query(f"sum({on_network('rayongolem_payment_problems')})"),
            thresholds=GOOD_IS_NONE,
            may_end=True,
        ),
        number(
            About("Memory", "Resident memory of the bridge.", "bytes"),
            Query(f"sum({on_network('process_resident_memory_bytes')})"),
        ),
        number(
            About("Up for", "Time since the bridge started.", "s", 0),
            Query(f"time() - max({on_network('process_start_time_seconds')})"),
        ),
        lines(
            About("Requests", "Answers per second at both doors, by route.", "reqps"),
            Query(f"sum by (door, route) ({REQUESTS})", "{{door}} {{route}}"),
        ),
        lines(
            About("Time to answer", "95 % of the answers took less, by route; long polls wait on purpose.", "s"),
            Query(f"histogram_quantile(0.95, sum by (route, le) ({SECONDS}))", "{{route}}"),
        ),
        lines(
            About("Failed requests", "Answers 5xx per second, by route and code.", "reqps"),
            Query(f"sum by (route, code) ({FAILED})", "{{route}} {{code}}"),
        ),
        lines(
            counted("Refused requests", "Within 10 minutes: wrong token, foreign host, head out of bounds."),
            Query(f"sum by (door, code) ({REFUSED})", "{{door}} {{code}}"),
        ),
        lines(
            counted("Loops: failed steps", "Within 10 minutes."),
            Query(f"sum by (loop) ({on_network('rayongolem_loop_failures_total', over='increase[10m]')})", "{{loop}}"),
        ),
        lines(
            About("Loops: since the last success", "Start nodes has success only when nodes are asked for.", "s", 0),
            Query(
                f"time() - max by (loop) ({on_network('rayongolem_loop_last_success_timestamp_seconds')})", "{{loop}}"
            ),
        ),
        lines(
            counted("Tunnels to heads", "1: open. Without it Ray's autoscaler cannot reach the bridge."),
            Query(f"min by (cluster) ({on_network('rayongolem_tunnel_up')})", "{{cluster}}"),
        ),
        lines(
            About("Heads: since the last request", "An autoscaler asks every 5 s; half an hour is an alert.", "s", 0),
            Query(
                f"time() - max by (cluster) ({on_network('rayongolem_head_last_request_timestamp_seconds')})",
                "{{cluster}}",
            ),
        ),
        lines(
            counted("Log messages", "Within 10 minutes, by level; the log itself: make logs."),
            Query(f"sum by (level) ({LOGGED})", "{{level}}"),
        ),
        lines(
            About("Event loop lag", "How late half and 99 % of the wake-ups were, over 5 minutes.", "s"),
            Query(f"histogram_quantile(0.5, sum by (le) ({LAG}))", "half"),
            Query(f"histogram_quantile(0.99, sum by (le) ({LAG}))", "99 %"),
        ),
        lines(
            About("Processor", "Share of one processor the bridge uses.", "percentunit"),
            Query(f"sum({on_network('process_cpu_seconds_total', over='rate[$__rate_interval]')})", "bridge"),
        ),
        lines(
            About("Scrapes", "How long each answer to Prometheus took.", "s"),
            Query("max by (job) (scrape_duration_seconds)", "{{job}}"),
        ),
        lines(
            About("yagna: time to answer", "95 % of the calls took less, by call; long polls wait on purpose.", "s"),
            Query(f"histogram_quantile(0.95, sum by (operation, le) ({CALLS}))", "{{operation}}"),
        ),
        lines(
            counted("yagna: failed calls", "Within 10 minutes: not answered, or answered 5xx."),
            Query(f"sum by (operation) ({CALL_ERRORS})", "{{operation}}"),
        ),
        lines(
            counted("Documents and payments at yagna", "Within 10 minutes, as yagna counts them."),
            Query("sum(increase(payment_debit_notes_requestor_received[10m]))", "debit notes received"),
            Query("sum(increase(payment_debit_notes_requestor_accepted[10m]))", "debit notes accepted"),
            Query("sum(increase(payment_invoices_requestor_received[10m]))", "invoices received"),
            Query("sum(increase(payment_invoices_requestor_paid[10m]))", "invoices paid"),
        ),
    )
