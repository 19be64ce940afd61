"""The appliance's settings as compose sees them: ``.env``, and the environment, which wins."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.paths import COMPOSE_FILE, DOTENV, ROOT
from appliance.steps import StepError

NETWORKS = ("devnet", "hoodi", "polygon")
OWN_KEYS = frozenset({"COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"})
"""Keys of ``.env`` that compose itself reads."""

IMAGES = frozenset({"IMAGE_TAG", "PYTHON_IMAGE", "PROMETHEUS_IMAGE", "GRAFANA_IMAGE"})
"""Keys that name images, of whatever is started from this repository."""

DEFAULT = re.compile(r"(?<!:-)\$\{([A-Z][A-Z0-9_]*):-([^${}]*)\}")
"""A setting in the compose file, and what it is where nobody has set it."""

ASSIGNMENT = re.compile(r"\s*([A-Z][A-Z0-9_]*)\s*=(.*)")
"""A line of ``.env``. Compose reads others, too, such as ``KEY: value``: they are refused, so that it reads no more."""

COMMENT = re.compile(r"(^|\s)#.*")
"""Behind a value, as compose reads it."""

REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
"""One value of ``.env`` in another, as compose reads it."""

SECONDS = "a whole number of seconds"

VALUES: Mapping[str, tuple[str, str]] = {
    "DEVNET_PROVIDERS": (r"[1-9]\d?", "a number from 1 to 99"),
    "DEVNET_WALLET_GLM": (r"\d+(\.\d+)?", "an amount"),
    "DEVNET_WALLET_GAS": (r"\d+(\.\d+)?", "an amount"),
    "LOG_LEVEL": (r"DEBUG|INFO|WARNING|ERROR", "DEBUG, INFO, WARNING or ERROR"),
    "BRIDGE_ADMIT_UPSTREAM_CLIENT": (r"true|false", "true or false"),
    "BRIDGE_UPSTREAM_MAX_WORKERS": (r"\d{1,3}|1000", "a number from 0 to 1000"),
    "YAGNA_METRICS_PUSH": (r"on|off", "on or off"),
    "YAGNA_IDENTITY_FILE": (r"/.+", "an absolute path"),
    "IMAGE_REGISTRY_URL": (r"(https?://.+)?", "an address"),
    "PAYMENT_TIMEOUT": (r"[6-9]\d|[1-9]\d{2,}", f"{SECONDS}, 60 or more"),
    "DEBIT_NOTE_INTERVAL": (r"([1-9]\d*)?", SECONDS),
    **dict.fromkeys(("MARKET_PATIENCE", "DEPLOY_TIMEOUT", "SETTLEMENT_PATIENCE"), (r"[1-9]\d*", SECONDS)),
}
"""What else a value must look like, and how that is said; compose hands them on unread."""


@dataclass(frozen=True)
class Ports:
    """On 127.0.0.1."""

    bridge: int
    prometheus: int
    grafana: int

    def by_key(self) -> Mapping[str, int]:
        """Each under its name in ``.env``."""
        return {"BRIDGE_PORT": self.bridge, "PROMETHEUS_PORT": self.prometheus, "GRAFANA_PORT": self.grafana}


@dataclass(frozen=True)
class Settings:
    """One appliance: its compose project, its folder for tokens and logs, its ports."""

    project: str
    network: str
    ports: Ports
    run: Path

    @property
    def token_file(self) -> Path:
        """The token of the bridge's host door."""
        return self.run / "bridge-token"

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def wanted_profiles(self) -> tuple[str, ...]:
        """Compose profiles of ``.env``."""
        return _names(read_values().get("COMPOSE_PROFILES", ""))

    @property
    def profiles(self) -> tuple[str, ...]:
        """Compose profiles in use: those wanted, as far as base-images.sh found their images."""
        chosen = self.profiles_file
        return _names(chosen.read_text(encoding="utf-8")) if chosen.exists() else self.wanted_profiles

    @property
    def profiles_file(self) -> Path:
        """Where base-images.sh notes them."""
        return self.run / "profiles"

    def compose_environment(self) -> dict[str, str]:
        """For ``docker compose``."""
        profiles = ",".join(self.profiles)
        return {
            **os.environ,
            "GOLEM_NETWORK": self.network,  # what was consented to, however compose would read .env
            "COMPOSE_PROFILES": profiles,
            "RUN_DIR": str(self.run),
            "APPLIANCE_DIR": str(ROOT),
        }


def read_settings() -> Settings:
    """Raises StepError for a line that is no setting, a key nobody reads, an unknown network or a port that is none."""
    values = read_values()
    _check_keys(values)
    _check_values(values)
    network = values.get("GOLEM_NETWORK", "devnet")
    if network not in NETWORKS:
        raise StepError(f"GOLEM_NETWORK is {network!r} — it must be {', '.join(NETWORKS)} — {mend('GOLEM_NETWORK')}")
    ports = Ports(
        bridge=_port(values, "BRIDGE_PORT", 4578),
        prometheus=_port(values, "PROMETHEUS_PORT", 9090),
        grafana=_port(values, "GRAFANA_PORT", 3000),
    )
    _check_ports_differ(ports)
    return Settings(
        project=values.get("COMPOSE_PROJECT_NAME", "ray-on-golem"),
        network=network,
        ports=ports,
        run=(ROOT / values.get("RUN_DIR", "run")).resolve(),
    )


def read_values() -> dict[str, str]:
    """``.env``, and whatever the environment says of the same keys or of keys the compose file reads.

    Raises StepError for a line that is no setting.
    """
    values = _assignments(DOTENV.read_text(encoding="utf-8").splitlines())
    known = {*values, *known_keys()}
    values |= {name: os.environ[name] for name in known if name in os.environ}
    return {name: REFERENCE.sub(lambda found: values.get(found[1], ""), value) for name, value in values.items()}


def _assignments(lines: Sequence[str]) -> dict[str, str]:
    values = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = ASSIGNMENT.fullmatch(line)
        if found is None:  # the line is not shown: it may hold anything
            raise StepError(f"Line {number} of .env is no setting — one looks like KEY=value — correct it in .env")
        values[found[1]] = COMMENT.sub("", found[2]).strip()
    return values


def cluster_name(path: Path) -> str:
    """``cluster_name`` of a cluster file."""
    found = re.search(r"^cluster_name:\s*[\"']?([A-Za-z0-9._-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise StepError(f"{path} names no cluster — add a line: cluster_name: golem-cluster")
    return found.group(1)


def known_keys() -> frozenset[str]:
    """The variables of the compose file."""
    return OWN_KEYS | frozenset(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", COMPOSE_FILE.read_text(encoding="utf-8")))


def defaults() -> dict[str, str]:
    """The settings of the compose file as they are by default, images aside, for what obeys no .env."""
    found = DEFAULT.findall(COMPOSE_FILE.read_text(encoding="utf-8"))
    return {key: value for key, value in found if key not in IMAGES}


def mend(*keys: str) -> str:
    """Where to correct one of these settings: what the environment says of it wins over ``.env``."""
    exported = [key for key in keys if key in os.environ]
    return f"the environment sets it, and wins over .env: unset {exported[0]}" if exported else "correct it in .env"


def _check_keys(values: Mapping[str, str]) -> None:
    known = known_keys()
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            raise StepError(f".env sets {key}, which nothing reads — {hint} — correct it in .env")


def _check_values(values: Mapping[str, str]) -> None:
    for key, (pattern, words) in VALUES.items():
        if key in values and not re.fullmatch(pattern, values[key]):
            raise StepError(f"{key} is {values[key]!r} — it must be {words} — {mend(key)}")


def _check_ports_differ(ports: Ports) -> None:
    first: dict[int, str] = {}
    for key, port in ports.by_key().items():
        if port in first:
            raise StepError(
                f"{first[port]} and {key} are both {port} — each needs a port of its own — {mend(first[port], key)}"
            )
        first[port] = key


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.strip().split(",") if name)


def _port(values: Mapping[str, str], key: str, default: int) -> int:
    text = values.get(key, str(default))
    if not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise StepError(f"{key} is {text!r} — it must be a port number — {mend(key)}")
    return int(text)
