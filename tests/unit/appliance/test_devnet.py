"""The file requestors source: complete, and nobody else's to read."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
from pathlib import Path

import pytest
import yaml

from appliance import devnet, settings
from appliance.devnet import OVERRIDE, exports, write_privately
from appliance.paths import COMPOSE_FILE
from appliance.settings import Ports, Settings
from appliance.steps import StepError, Steps
from tests.unit.appliance.bench import DEFAULTS, ODD

KEY = "0123456789abcdef"


def test_the_file_names_everything_an_sdk_reads() -> None:
    lines = [shlex.split(line) for line in exports(7465, KEY).splitlines()]
    assert all(words[0] == "export" for words in lines)
    assert dict(words[1].split("=", 1) for words in lines) == {
        "YAGNA_API_URL": "http://127.0.0.1:7465",
        "YAGNA_APPKEY": KEY,
        "YAGNA_SUBNET": "devnet",
        "YAGNA_PAYMENT_NETWORK": "hoodi",
        "YAGNA_PAYMENT_DRIVER": "erc20",
    }


def test_nobody_else_reads_it_whatever_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "devnet.env"
    path.write_text("old")
    path.chmod(0o644)
    write_privately(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_silent_yagna_is_looked_for_in_its_own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho 'no such service' >&2\nexit 1\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    environment = devnet.environment_of(Settings("unit", "devnet", Ports(1, 2, 3), tmp_path))
    with pytest.raises(StepError, match="no such service — see: docker compose -p unit-devnet logs yagna"):
        devnet.app_key(environment)


def test_settings_of_the_appliance_are_not_the_devnets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Least of all a private key of the user's; how big a devnet is, is set for this one, too."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("".join(f"{key}={value}\n" for key, value in ODD.items()))
    monkeypatch.setattr(settings, "DOTENV", dotenv)
    monkeypatch.setenv("YAGNA_METRICS_PUSH", "on")
    read = settings.read_settings()
    environment = devnet.environment_of(read)
    own = {"COMPOSE_PROJECT_NAME": "odd-devnet", "COMPOSE_PROFILES": "devnet", "RUN_DIR": str(read.run)}
    expected = {key: value for key, value in DEFAULTS.items() if key not in {*settings.IMAGES, *devnet.SIZES}} | own
    assert {key: environment.get(key) for key in expected} == expected
    assert not {*settings.IMAGES, *devnet.SIZES} & {*environment}  # as .env says


def test_yagna_is_published_on_the_loopback_only() -> None:
    services = yaml.safe_load(OVERRIDE.read_text())["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["yagna"]
    assert all(port.startswith("127.0.0.1:") for port in services["yagna"]["ports"])


def test_only_here_all_volumes_may_go_for_a_damaged_chain() -> None:
    """Those of the appliance may hold a key of a network where money is real."""
    advice = [
        yaml.safe_load(path.read_text())["services"]["chain"]["environment"]["START_ANEW"]
        for path in (OVERRIDE, COMPOSE_FILE)
    ]
    alone, within = advice
    assert "docker compose -p ${COMPOSE_PROJECT_NAME:-ray-on-golem-devnet} down --volumes" in alone
    assert within == "make devnet-reset"


def test_a_port_that_is_none_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(devnet.PORT, "many")
    run = tmp_path / "run"
    with pytest.raises(StepError, match="YAGNA_PORT is 'many'"):
        devnet.start(Steps(tmp_path), Settings("unit", "devnet", Ports(1, 2, 3), run))
    assert not run.exists()


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    monkeypatch.setattr(devnet, "check_port", lambda *_, **__: None)
    run = tmp_path / "run"
    with pytest.raises(StepError, match=r"0\.0 GiB are free in .* nothing was changed"):
        devnet.start(Steps(tmp_path), Settings("unit", "devnet", Ports(1, 2, 3), run))
    assert not run.exists()
