"""What may be in docker-compose.yml and what may not: DESIGN's trust boundaries as rules over the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.paths import COMPOSE_FILE, ROOT
from golem_devnet.sandbox.node import NODES
from golem_devnet.supervisor.settings import FAULTS, HEALTH, RUN, SWITCHBOARD

COMPOSE: Mapping[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"secrets"}
CAPABILITIES = {
    "secrets": {"CHOWN", "DAC_OVERRIDE", "FOWNER"},
    "devnet": {"SYS_ADMIN", "NET_ADMIN"},
}
"""What a service may hold; everybody else holds none."""

SHARED_SECRETS = {
    "yagna-appkey": {"yagna", "bridge"},
    "bridge-secrets": {"secrets", "bridge"},
    "metrics-token": {"secrets", "prometheus"},
    "yagna-data": {"yagna"},
    "bridge-data": {"bridge"},
}
"""Who may see a volume that holds a secret."""

every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_lasting_service = pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))


@every_service
def test_every_port_is_on_the_loopback(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert str(port).startswith("127.0.0.1:")


def test_only_bridge_prometheus_and_grafana_publish_anything() -> None:
    assert {name for name, service in SERVICES.items() if service.get("ports")} == {"bridge", "prometheus", "grafana"}


@every_service
def test_images_are_pinned_by_an_overridable_tag(name: str) -> None:
    image = SERVICES[name]["image"]
    assert "latest" not in image
    assert re.search(r"\$\{[A-Z_]+:-[^}]*\}", image), image


@every_service
def test_nobody_is_privileged(name: str) -> None:
    service = SERVICES[name]
    assert "privileged" not in service
    assert service.get("network_mode") != "host"
    assert "pid" not in service
    assert set(service.get("cap_add", ())) == CAPABILITIES.get(name, set())
    if name != "devnet":  # Docker's default set, for the nodes' own root, within the devnet
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


@every_service
def test_nobody_writes_to_an_image(name: str) -> None:
    assert SERVICES[name]["read_only"] is True


@every_lasting_service
def test_everything_that_stays_is_watched_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert "test" in service["healthcheck"]
    assert service["mem_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


def test_nodes_cannot_fill_what_the_devnet_itself_writes_to() -> None:
    mounts = [Path(entry.partition(":")[0]) for entry in SERVICES["devnet"]["tmpfs"]]

    def mount(path: Path) -> Path:
        return max((place for place in mounts if path.is_relative_to(place)), key=lambda place: len(place.parts))

    assert mount(NODES) == NODES
    assert {mount(path) for path in (HEALTH, SWITCHBOARD, FAULTS)} == {RUN}


@every_service
def test_who_waits_names_the_condition(name: str) -> None:
    for condition in dict(SERVICES[name].get("depends_on", {})).values():
        assert condition["condition"].startswith("service_")


@every_service
def test_no_secret_is_in_an_environment(name: str) -> None:
    for key in SERVICES[name].get("environment", {}):
        assert not re.search(r"TOKEN|SECRET|PASSWORD|APPKEY|PRIVATE", key), key


def test_grafana_has_no_password_that_could_be_a_default() -> None:
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert environment["GF_AUTH_BASIC_ENABLED"] == "false"
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


@every_lasting_service
def test_nothing_inside_is_asked_through_a_proxy(name: str) -> None:
    """Docker's own configuration (``proxies``) puts proxies into the environment of every container."""
    service = SERVICES[name]
    probe = service["healthcheck"]["test"]
    if "wget" in probe:
        assert " -Y off " in " ".join(probe)  # busybox' heeds no list
        return
    for key in ("NO_PROXY", "no_proxy"):
        assert {"127.0.0.1", "localhost", "chain", "devnet", "yagna"} <= {*service["environment"][key].split(",")}


@pytest.mark.parametrize(("volume", "readers"), sorted(SHARED_SECRETS.items()))
def test_a_secret_is_mounted_only_where_it_is_needed(volume: str, readers: set[str]) -> None:
    mounting = {
        name
        for name, service in SERVICES.items()
        if any(str(mount).split(":")[0] == volume for mount in service.get("volumes", []))
    }
    assert mounting == readers


def test_every_named_volume_says_what_it_holds() -> None:
    text = COMPOSE_FILE.read_text(encoding="utf-8").partition("\nvolumes:\n")[2]
    for name in COMPOSE["volumes"]:
        assert re.search(rf"^  {name}: {{}} # \w", text, re.MULTILINE), name


@pytest.mark.parametrize("path", sorted(ROOT.glob("docker/*/Dockerfile")), ids=lambda path: path.parent.name)
def test_images_hold_no_secret_and_end_as_a_user_of_their_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?i)^(ARG|ENV).*(token|secret|password|private)", text, re.MULTILINE)
    assert ":latest" not in text
    if path.parent.name not in {"devnet", "ray-node"}:  # a node's own system is its user's, root included
        assert re.search(r"^USER (?!root|0)", text, re.MULTILINE)
