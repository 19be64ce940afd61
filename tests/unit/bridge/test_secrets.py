"""Tokens: made once, private from the first byte, and never a placeholder."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

from golem_bridge.settings import GolemNetwork, SecretError, Settings, read_secret

SCRIPT = Path(__file__).parents[3] / "docker" / "secrets" / "make_secrets.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_secrets", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, "make_secrets", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "BRIDGE_UID", os.getuid())
    monkeypatch.setattr(module, "PROMETHEUS_UID", os.getuid())
    return module


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    made = [tmp_path / name for name in ("host", "bridge", "metrics")]
    for folder in made:
        folder.mkdir()
    return made


def tokens(folders: list[Path]) -> dict[str, str]:
    return {
        f"{path.parent.name}/{path.name}": path.read_text().strip()
        for folder in folders
        for path in folder.iterdir()
        if "token" in path.name
    }


def test_each_reader_gets_a_copy_only_it_can_read(script: ModuleType, folders: list[Path]) -> None:
    script.main(*folders, port="4578")
    found = tokens(folders)
    assert found["host/bridge-token"] == found["bridge/token"]
    assert found["metrics/token"] == found["bridge/metrics-token"]
    assert found["bridge/token"] != found["bridge/metrics-token"]
    assert all(len(token) >= 40 for token in found.values())
    modes = {path.name: path.stat().st_mode & 0o777 for folder in folders for path in folder.iterdir()}
    assert modes["bridge-token"] == 0o600
    assert modes["metrics-token"] == modes["token"] == 0o400
    assert (folders[0] / "bridge-port").read_text() == "4578\n"
    assert folders[1].stat().st_mode & 0o777 == 0o700


def test_a_second_run_changes_nothing_and_mends_what_is_missing(script: ModuleType, folders: list[Path]) -> None:
    script.main(*folders, port="4578")
    before = tokens(folders)
    script.main(*folders, port="4578")
    assert tokens(folders) == before
    (folders[1] / "token").unlink()
    (folders[2] / "token").unlink()
    (folders[2] / "token").write_text("")
    script.main(*folders, port="4579")
    assert tokens(folders) == before


def test_a_leftover_of_an_interrupted_run_is_no_obstacle(script: ModuleType, folders: list[Path]) -> None:
    (folders[1] / ".token.new").write_text("half a tok")
    script.main(*folders, port="4578")
    assert not (folders[1] / ".token.new").exists()
    assert tokens(folders)["bridge/token"] == tokens(folders)["host/bridge-token"]


@pytest.mark.parametrize("content", ["", "\n", "changeme", "CHANGEME\n", "try_golem", "short", "x" * 15])
def test_a_placeholder_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(SecretError, match="placeholder") as caught:
        read_secret(path)
    assert not content.strip() or content.strip() not in str(caught.value).replace(str(path), "")


def test_a_secret_is_its_line(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("s" * 16 + "\n")
    assert read_secret(path) == "s" * 16


def test_a_missing_secret_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"No such file.* — start the whole appliance: make up"):
        read_secret(tmp_path / "nothing")


def test_the_network_decides_the_defaults() -> None:
    devnet, polygon = (Settings(golem_network=network) for network in (GolemNetwork.DEVNET, GolemNetwork.POLYGON))
    assert (devnet.agreed_debit_note_interval, polygon.agreed_debit_note_interval) == (10, 180)
    assert (devnet.registry_url, polygon.registry_url) == ("http://devnet:8480", "https://registry.golem.network")
    assert GolemNetwork.POLYGON.payment_platform == "erc20-polygon-glm"
    assert {GolemNetwork.DEVNET.payment_platform, GolemNetwork.HOODI.payment_platform} == {"erc20-hoodi-tglm"}


@pytest.mark.parametrize("variable", ["DEBIT_NOTE_INTERVAL", "IMAGE_REGISTRY_URL", "APPLIANCE_DIR"])
def test_what_compose_hands_on_empty_is_as_if_unset(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv(variable, raising=False)
    unset = Settings()
    monkeypatch.setenv(variable, "")
    assert Settings() == unset


def test_settings_come_from_the_environment_and_must_make_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLEM_NETWORK", "hoodi")
    monkeypatch.setenv("BRIDGE_ALLOWED_HOSTS", " 127.0.0.1 ,, ray.home")
    settings = Settings()
    assert settings.golem_network is GolemNetwork.HOODI
    assert settings.allowed_hosts == {"127.0.0.1", "ray.home"}
    for name, value in (("GOLEM_NETWORK", "mainnet"), ("MARKET_PATIENCE", "0"), ("DEBIT_NOTE_INTERVAL", "0")):
        with monkeypatch.context() as context, pytest.raises(ValueError, match=name.lower()):
            context.setenv(name, value)
            Settings()
