"""``make doctor``: looks at everything the appliance needs, changes nothing, and says how to mend what is wrong."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request

from appliance.checks import check_disk, check_ports
from appliance.loopback import open_here
from appliance.settings import Settings
from appliance.shell import Shell, compose_rows
from appliance.steps import StepError, Steps

CLOCK_TOLERANCE = 30.0
"""Seconds the containers' clock may differ from the host's."""

MIN_GAS: Mapping[str, Decimal] = {"devnet": Decimal("0.01"), "hoodi": Decimal("0.01"), "polygon": Decimal("0.5")}
"""Of the network's own coin, enough for some hundred payments."""

FUND = "fund the wallet: README.md, Going to hoodi or polygon"
FUND_DEVNET = "the devnet funds a wallet once: make devnet-reset, then make up"

COMPOSE_NEEDED = (2, 20)
"""By docker-compose.yml: depends_on with required: false."""

TIMEOUT = 10.0
"""Seconds for one question over HTTP."""

MARKS = {True: "✔", False: "✖", None: "·"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was observed, and the next command if it is not as it should be.

    ``ok`` is None for what could not be looked at.
    """

    name: str
    ok: bool | None
    observed: str
    fix: str = ""

    def line(self) -> str:
        """As shown on a terminal."""
        return f"   {MARKS[self.ok]} {self.name:<10} {self.observed}" + (f" — {self.fix}" if self.ok is False else "")


def examine(steps: Steps, settings: Settings) -> None:
    """Print every finding (as JSON after ``--json``). Raises StepError if something is wrong."""
    findings = look(settings, Shell(settings.compose_environment()))
    if "--json" in sys.argv:
        steps.say(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        steps.say("\n".join(finding.line() for finding in findings))
    bad = [finding.name for finding in findings if finding.ok is False]
    if bad:
        raise StepError(
            f"{len(bad)} of {len(findings)} findings are bad ({', '.join(bad)}) — see above how to mend them"
        )


def look(settings: Settings, shell: Shell) -> list[Finding]:
    """Everything; of an appliance that does not run, only why it does not."""
    findings = [check(settings, shell) for check in MACHINE]
    if any(row["State"] == "running" for row in compose_rows(shell.compose("ps", "--format", "json").output)):
        return findings + [check(settings, shell) for check in APPLIANCE.values()]
    return findings + [Finding(name, None, "not looked at, as the appliance does not run") for name in APPLIANCE]


def check_engine(_settings: Settings, shell: Shell) -> Finding:
    engine = shell.ask("docker", "version", "--format", "{{.Server.Version}}")
    compose = shell.compose("version", "--short")
    if not engine.ok:
        return Finding("engine", False, f"Docker does not answer: {engine.reason}", "run: make up")
    if not compose.ok:
        return Finding("engine", False, f"no Compose: {compose.reason}", "run: make up")
    found = re.match(r"v?(\d+)\.(\d+)", compose.output)
    if found is None or (int(found[1]), int(found[2])) < COMPOSE_NEEDED:
        needed = ".".join(map(str, COMPOSE_NEEDED))
        return Finding("engine", False, f"compose {compose.output.strip()}, {needed} is needed", "run: make up")
    return Finding("engine", True, f"docker {engine.output.strip()}, compose {compose.output.strip()}")


def check_ports_free(settings: Settings, _shell: Shell) -> Finding:
    try:
        check_ports(settings)
    except StepError as error:
        observed, _, fix = str(error).split(" — ", 2)
        return Finding("ports", False, observed, fix)
    return Finding("ports", True, ", ".join(map(str, settings.ports.by_key().values())))


def check_disk_free(settings: Settings, _shell: Shell) -> Finding:
    try:
        return Finding("disk", True, check_disk(settings))
    except StepError as error:
        observed, _, fix = str(error).split(" — ", 2)
        return Finding("disk", False, observed, fix)


def check_clock(settings: Settings, _shell: Shell) -> Finding:
    """Payments and offers carry times: a wrong clock makes yagna refuse them."""
    try:
        with open_here(f"http://127.0.0.1:{settings.ports.prometheus}/-/ready", timeout=TIMEOUT) as answer:
            told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except OSError as error:
        return Finding("clock", False, f"Prometheus does not tell the time: {error}", "run: make up")
    except (HTTPException, ValueError, TypeError):
        return _stranger("clock", "Prometheus", "PROMETHEUS_PORT", settings.ports.prometheus)
    difference = abs(time.time() - told)
    ok = difference <= CLOCK_TOLERANCE
    return Finding(
        "clock", ok, f"containers differ by {difference:.0f} s", "set the machine's clock (e.g. with chrony)"
    )


def check_containers(settings: Settings, shell: Shell) -> Finding:
    answer = shell.compose("ps", "--all", "--format", "json")
    if not answer.ok:
        return Finding("containers", False, answer.reason, "run: make up")
    rows = compose_rows(answer.output)
    if not any(row["State"] == "running" for row in rows):
        return Finding("containers", False, "none runs", "run: make up")
    states = {row["Service"]: row.get("Health") or row["State"] for row in rows if row["Service"] != "secrets"}
    wanted = {"yagna", "bridge", "prometheus", *({"chain", "devnet"} if settings.network == "devnet" else ())}
    wanted |= {"grafana"} & {*settings.profiles}
    bad = {name: states.get(name, "missing") for name in sorted(wanted) if states.get(name) != "healthy"}
    if bad:
        shown = ", ".join(f"{name} {state}" for name, state in bad.items())
        return Finding("containers", False, shown, f"see: docker compose logs {next(iter(bad))}, then run: make up")
    return Finding("containers", True, f"{', '.join(sorted(wanted))}: healthy")


def check_bridge(settings: Settings, _shell: Shell) -> Finding:
    try:
        token = settings.token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        return Finding("bridge", False, f"no token in {settings.token_file}: {error.strerror}", "run: make up")
    url = f"http://127.0.0.1:{settings.ports.bridge}/v1/health/ready"
    request = Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with open_here(request, timeout=TIMEOUT) as answer:
            body: dict[str, str] = json.load(answer)
        network, wallet = body["network"], body["wallet"]
    except HTTPError as error:
        return Finding("bridge", False, f"answers {error.code}", "see: docker compose logs bridge")
    except OSError as error:
        return Finding("bridge", False, f"does not answer: {error}", "run: make up")
    except (HTTPException, ValueError, TypeError, KeyError):
        return _stranger("bridge", "the bridge", "BRIDGE_PORT", settings.ports.bridge)
    if network != settings.network:
        return Finding("bridge", False, f"runs on {network}, .env says {settings.network}", "run: make up")
    return Finding("bridge", True, f"ready on {network}, wallet {wallet}")


def _stranger(name: str, expected: str, key: str, port: int) -> Finding:
    """Another program has the port."""
    observed = f"what answers on port {port} is not {expected}"
    return Finding(name, False, observed, f"set {key} in .env, then run: make up")


def check_yagna(_settings: Settings, shell: Shell) -> Finding:
    """Whether the daemon itself answers, apart from its container's state."""
    answer = shell.inside("yagna", "python3", "-m", "yagna_entry.healthy")
    if not answer.ok:
        return Finding("yagna", False, answer.reason, "see: docker compose logs yagna")
    version = shell.inside("yagna", "yagna", "--version").output.strip()
    return Finding("yagna", True, f"answers, {version}" if version else "answers")


def check_wallet(settings: Settings, shell: Shell) -> Finding:
    """GLM, as yagna sees it on the chain."""
    status = _payment_status(settings, shell)
    if isinstance(status, str):
        return Finding("wallet", False, f"yagna does not tell: {status}", "see: docker compose logs yagna")
    return Finding("wallet", status.glm > 0, f"{status.glm.normalize():f} GLM", _funding(settings))


def check_gas(settings: Settings, shell: Shell) -> Finding:
    """What pays for transactions, outside of budgets."""
    status = _payment_status(settings, shell)
    if isinstance(status, str):
        return Finding("gas", False, f"yagna does not tell: {status}", "see: docker compose logs yagna")
    ok = status.gas >= MIN_GAS[settings.network]
    return Finding("gas", ok, f"{status.gas.normalize():f} {status.coin}", _funding(settings))


def _funding(settings: Settings) -> str:
    return FUND_DEVNET if settings.network == "devnet" else FUND


def check_offers(_settings: Settings, shell: Shell) -> Finding:
    """Who could be rented right now, by a look at the market that rents nothing."""
    answer = shell.inside("bridge", "/opt/venv/bin/python", "-m", "golem_bridge.market.survey")
    try:
        found = json.loads(answer.output)
        seen, usable, price, subnet = (found[key] for key in ("seen", "usable", "cheapest_glm_per_hour", "subnet"))
    except (ValueError, KeyError, TypeError):
        return Finding(
            "offers", False, f"the market cannot be asked: {answer.reason}", "see: docker compose logs bridge"
        )
    if not usable:
        return Finding(
            "offers", False, f"{seen} providers in {subnet}, none usable", "wait some minutes, then look again"
        )
    return Finding("offers", True, f"{usable} of {seen} providers in {subnet} usable, from {price} GLM/h")


@dataclass(frozen=True)
class _Status:
    glm: Decimal
    gas: Decimal
    coin: str


def _payment_status(settings: Settings, shell: Shell) -> _Status | str:
    """What the wallet holds, or why that is not known."""
    chain = "polygon" if settings.network == "polygon" else "hoodi"
    answer = shell.inside("yagna", "yagna", "payment", "status", "--network", chain, "--json")
    try:
        status = json.loads(answer.output)
        gas = status["gas"]
        return _Status(Decimal(status["amount"]), Decimal(gas["balance"]), str(gas["currency_short_name"]))
    except (ValueError, KeyError, TypeError, InvalidOperation):
        return answer.reason


def check_peers(settings: Settings, shell: Shell) -> Finding:
    """Who else is on the net: the devnet's providers, or sessions with the public net."""
    if settings.network == "devnet":
        answer = shell.inside("devnet", "/opt/devnet/bin/python", "-m", "golem_devnet", "health")
        return Finding("peers", answer.ok, "every provider offers" if answer.ok else answer.reason, "run: make up")
    answer = shell.inside("yagna", "yagna", "net", "sessions", "--json")
    try:
        sessions = len(json.loads(answer.output)["values"])
    except (ValueError, KeyError, TypeError):
        return Finding("peers", False, answer.reason, "see: docker compose logs yagna")
    return Finding(
        "peers", sessions > 0, f"{sessions} sessions", "open outgoing UDP, then: docker compose restart yagna"
    )


Check = Callable[[Settings, Shell], Finding]

MACHINE: tuple[Check, ...] = (check_engine, check_ports_free, check_disk_free, check_containers)
APPLIANCE: Mapping[str, Check] = {
    "clock": check_clock,
    "yagna": check_yagna,
    "peers": check_peers,
    "wallet": check_wallet,
    "gas": check_gas,
    "bridge": check_bridge,
    "offers": check_offers,
}
"""By the name of what they find."""
