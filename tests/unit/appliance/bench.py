"""An appliance that is none: what Docker and the bridge answer is written down by the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from appliance.bridge import LiveNode
from appliance.settings import Ports, Settings
from appliance.steps import StepError, Steps

NODE = LiveNode("mine", "mine-1-head-0001", "running", "alder", "0.0108")

ODD: Mapping[str, str] = {
    "COMPOSE_PROJECT_NAME": "odd",
    "GOLEM_NETWORK": "polygon",
    "COMPOSE_PROFILES": "polygon",
    "BRIDGE_PORT": "1001",
    "PROMETHEUS_PORT": "1002",
    "GRAFANA_PORT": "1003",
    "DEVNET_PROVIDERS": "1",
    "DEVNET_WALLET_GLM": "0",
    "DEVNET_WALLET_GAS": "0",
    "IMAGE_TAG": "odd",
    "PYTHON_IMAGE": "odd-python",
    "PROMETHEUS_IMAGE": "odd-prometheus",
    "GRAFANA_IMAGE": "odd-grafana",
    "LOG_LEVEL": "ERROR",
    "BRIDGE_ADMIT_UPSTREAM_CLIENT": "true",
    "BRIDGE_UPSTREAM_MAX_WORKERS": "0",
    "MARKET_PATIENCE": "1",
    "DEPLOY_TIMEOUT": "1",
    "PAYMENT_TIMEOUT": "60",
    "SETTLEMENT_PATIENCE": "1",
    "DEBIT_NOTE_INTERVAL": "1",
    "IMAGE_REGISTRY_URL": "http://odd",
    "YAGNA_IDENTITY_FILE": "/odd/key.hex",
    "YAGNA_METRICS_PUSH": "on",
}
"""Every setting of README, none as it is by default."""

DEFAULTS: Mapping[str, str] = {
    "COMPOSE_PROJECT_NAME": "ray-on-golem",
    "GOLEM_NETWORK": "devnet",
    "COMPOSE_PROFILES": "devnet,grafana",
    "BRIDGE_PORT": "4578",
    "PROMETHEUS_PORT": "9090",
    "GRAFANA_PORT": "3000",
    "DEVNET_PROVIDERS": "6",
    "DEVNET_WALLET_GLM": "1000",
    "DEVNET_WALLET_GAS": "1",
    "IMAGE_TAG": "local",
    "PYTHON_IMAGE": "python:3.11-slim-bookworm",
    "PROMETHEUS_IMAGE": "prom/prometheus:v2.42.0",
    "GRAFANA_IMAGE": "grafana/grafana:11.4.0",
    "LOG_LEVEL": "INFO",
    "BRIDGE_ADMIT_UPSTREAM_CLIENT": "false",
    "BRIDGE_UPSTREAM_MAX_WORKERS": "10",
    "MARKET_PATIENCE": "300",
    "DEPLOY_TIMEOUT": "300",
    "PAYMENT_TIMEOUT": "43200",
    "SETTLEMENT_PATIENCE": "900",
    "DEBIT_NOTE_INTERVAL": "",
    "IMAGE_REGISTRY_URL": "",
    "YAGNA_IDENTITY_FILE": "/dev/null",
    "YAGNA_METRICS_PUSH": "off",
}
"""The same settings, where nobody has set anything."""

Docker = Callable[[str], None]
"""Makes ``docker`` a shell script."""


def on(network: str, run: Path = Path("run")) -> Settings:
    """Settings of an appliance that nobody started."""
    return Settings("ray-on-golem-unit", network, Ports(1, 2, 3), run)


class Recorder(Steps):
    """Notes the commands instead of running them; one that holds a word of ``failing`` fails."""

    def __init__(self, logs: Path = Path("logs"), *failing: str) -> None:
        super().__init__(logs)
        self.commands: list[str] = []
        self.failing = failing

    def run(self, command: Sequence[str | Path], **_options: object) -> str:
        said = " ".join(map(str, command))
        self.commands.append(said)
        if any(word in said for word in self.failing):
            raise StepError(f"`{command[0]}` failed")
        return ""

    def ran(self, *words: str) -> list[str]:
        """Of ``words``, those that were in a command, in the order of the commands."""
        return [word for said in self.commands for word in words if word in said]
