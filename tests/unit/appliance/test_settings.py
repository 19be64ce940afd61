from __future__ import annotations

from pathlib import Path

import pytest

from appliance import settings as module
from appliance.settings import cluster_name, read_settings
from appliance.steps import StepError
from tests.dotenv import committed


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the committed ``.env``, to be changed; nothing of the caller's environment shines through."""
    path = tmp_path / ".env"
    path.write_text(committed())
    monkeypatch.setattr(module, "DOTENV", path)
    for key in ("GOLEM_NETWORK", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "BRIDGE_PORT", "GRAFANA_PORT", "RUN_DIR"):
        monkeypatch.delenv(key, raising=False)
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_committed_settings_are_the_devnets(dotenv: Path) -> None:
    settings = read_settings()
    assert (settings.project, settings.network, settings.ports.bridge) == ("ray-on-golem", "devnet", 4578)


def test_the_environment_wins(dotenv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_PORT", "14578")
    monkeypatch.setenv("RUN_DIR", "./run/elsewhere")
    settings = read_settings()
    assert settings.ports.bridge == 14578
    assert settings.token_file.parts[-3:] == ("run", "elsewhere", "bridge-token")


def test_a_typo_in_a_key_is_named_with_the_right_one(dotenv: Path) -> None:
    change(dotenv, "GOLEM_NETWORK=", "GOLEM_NETWROK=")
    with pytest.raises(StepError, match="GOLEM_NETWROK, which nothing reads — did you mean GOLEM_NETWORK"):
        read_settings()


def test_an_unknown_network_is_refused(dotenv: Path) -> None:
    change(dotenv, "GOLEM_NETWORK=devnet", "GOLEM_NETWORK=mainnet")
    with pytest.raises(StepError, match="'mainnet' — it must be devnet, hoodi, polygon"):
        read_settings()


@pytest.mark.parametrize("line", ["GOLEM_NETWORK: polygon", "export GOLEM_NETWORK=polygon", "GOLEM_NETWORK", "0x2a"])
def test_a_line_that_only_compose_might_understand_is_refused_unread(dotenv: Path, line: str) -> None:
    number = len(dotenv.read_text().splitlines()) + 2
    dotenv.write_text(dotenv.read_text() + f"  # mine\n{line}\n \n")
    with pytest.raises(StepError, match=rf"Line {number} of \.env is no setting .* KEY=value .*correct it") as refused:
        read_settings()
    assert line not in str(refused.value)


def test_spaces_around_a_key_are_no_mistake(dotenv: Path) -> None:
    change(dotenv, "GOLEM_NETWORK=devnet", " GOLEM_NETWORK = hoodi")
    assert read_settings().network == "hoodi"


def test_a_comment_behind_a_value_is_none_of_it(dotenv: Path) -> None:
    """As compose reads it."""
    change(dotenv, "GOLEM_NETWORK=devnet", "GOLEM_NETWORK=hoodi # for now\nRUN_DIR=./r#n")
    assert (read_settings().network, read_settings().run.name) == ("hoodi", "r#n")


def test_compose_is_told_the_network_that_was_read(dotenv: Path) -> None:
    change(dotenv, "GOLEM_NETWORK=devnet", "GOLEM_NETWORK=hoodi")
    assert read_settings().compose_environment()["GOLEM_NETWORK"] == "hoodi"


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", ""])
def test_a_port_must_be_one(dotenv: Path, port: str) -> None:
    change(dotenv, "GRAFANA_PORT=3000", f"GRAFANA_PORT={port}")
    with pytest.raises(StepError, match=r"GRAFANA_PORT is .* it must be a port number"):
        read_settings()


def test_no_two_ports_are_the_same(dotenv: Path) -> None:
    change(dotenv, "PROMETHEUS_PORT=9090", "PROMETHEUS_PORT=4578")
    with pytest.raises(StepError, match="BRIDGE_PORT and PROMETHEUS_PORT are both 4578 — each needs a port of its own"):
        read_settings()


@pytest.mark.parametrize(("network", "profiles"), [("devnet", "devnet,grafana"), ("polygon", "polygon,grafana")])
def test_the_network_is_the_one_switch(
    dotenv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, profiles: str
) -> None:
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    monkeypatch.setenv("GOLEM_NETWORK", network)
    assert read_settings().compose_environment()["COMPOSE_PROFILES"] == profiles


def test_what_was_found_once_does_not_hide_what_is_wanted_now(
    dotenv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    (tmp_path / "profiles").write_text("devnet\n")
    change(dotenv, "GOLEM_NETWORK=devnet", "GOLEM_NETWORK=hoodi")
    assert read_settings().wanted_profiles == ("hoodi", "grafana")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("DEVNET_PROVIDERS", "six", "a number from 1 to 99"),
        ("DEVNET_WALLET_GLM", "-1", "an amount"),
        ("LOG_LEVEL", "VERBOSE", "DEBUG, INFO, WARNING or ERROR"),
        ("BRIDGE_ADMIT_UPSTREAM_CLIENT", "maybe", "true or false"),
        ("YAGNA_METRICS_PUSH", "yes", "on or off"),
        ("YAGNA_IDENTITY_FILE", "key.hex", "an absolute path"),
        ("MARKET_PATIENCE", "5m", "a whole number of seconds"),
        ("PAYMENT_TIMEOUT", "59", "a whole number of seconds, 60 or more"),
        ("DEBIT_NOTE_INTERVAL", "0", "a whole number of seconds"),
        ("IMAGE_REGISTRY_URL", "registry", "an address"),
    ],
)
def test_a_value_that_a_container_would_choke_on_is_refused_before(
    dotenv: Path, key: str, value: str, words: str
) -> None:
    dotenv.write_text(dotenv.read_text() + f"{key}={value}\n")
    with pytest.raises(StepError, match=f"{key} is '{value}' — it must be {words} — correct it in .env"):
        read_settings()


@pytest.mark.parametrize(
    ("key", "value"),
    [("LOG_LEVEL", "debug"), ("GOLEM_NETWORK", "mainnet"), ("BRIDGE_PORT", "x"), ("GRAFANA_PORT", "4578")],
)
def test_a_value_that_is_not_from_the_file_is_not_to_be_corrected_there(
    dotenv: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    monkeypatch.setenv(key, value)
    with pytest.raises(StepError, match=f"the environment sets it, and wins over .env: unset {key}"):
        read_settings()


def test_profiles_are_those_whose_images_were_found(
    dotenv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    settings = read_settings()
    assert "grafana" in settings.profiles
    (tmp_path / "profiles").write_text("devnet\n")
    assert settings.profiles == ("devnet",)
    assert settings.compose_environment()["COMPOSE_PROFILES"] == "devnet"


def test_a_cluster_file_names_its_cluster(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text("# mine\ncluster_name: 'my-cluster'\n")
    assert cluster_name(path) == "my-cluster"
    path.write_text("max_workers: 1\n")
    with pytest.raises(StepError, match="names no cluster"):
        cluster_name(path)
