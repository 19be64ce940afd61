"""No start on the devnet without the chain's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from yagna_entry.devnet import install_payment_config, remove_payment_config, split_hub
from yagna_entry.errors import StartError
from yagna_entry.waiting import Patience


class Hours:
    """Each pause takes a minute."""

    now = 0.0

    def pause(self, _seconds: float) -> bool:
        self.now += 60
        return False


def patience() -> Patience:
    hours = Hours()
    return Patience(hours.pause, lambda _line: None, lambda: hours.now)


def chain_folder(base: Path, chain_json: str) -> Path:
    folder = base / "chain"
    folder.mkdir()
    (folder / "config-payments.toml").write_text("[engine]\n")
    (folder / "chain.json").write_text(chain_json)
    return folder


def test_the_file_is_copied_and_names_the_endpoint(tmp_path: Path) -> None:
    folder = chain_folder(tmp_path, '{"rpc": "http://chain:8545", "chain_id": 560048}')
    (tmp_path / "config-payments.toml").write_text("old")
    assert install_payment_config(patience(), folder, tmp_path) == "http://chain:8545"
    assert (tmp_path / "config-payments.toml").read_text() == "[engine]\n"


def test_without_the_file_there_is_no_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECT", "mine-devnet")
    with pytest.raises(StartError, match="see docker compose -p mine-devnet logs chain"):
        install_payment_config(patience(), tmp_path, tmp_path)


@pytest.mark.parametrize("chain_json", ["", "{}", "[]"])
def test_an_unreadable_chain_is_refused(tmp_path: Path, chain_json: str) -> None:
    with pytest.raises(StartError, match="not usable"):
        install_payment_config(patience(), chain_folder(tmp_path, chain_json), tmp_path)


def test_public_networks_use_the_built_in_configuration(tmp_path: Path) -> None:
    (tmp_path / "config-payments.toml").write_text("old")
    remove_payment_config(tmp_path)
    remove_payment_config(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_hub_is_a_host_and_a_short_port() -> None:
    assert split_hub("devnet:7477") == ("devnet", 7477)


@pytest.mark.parametrize("hub", ["", "devnet", ":7477", "devnet:", "devnet:17477", "devnet:0", "devnet:-1", "devnet:x"])
def test_another_hub_is_refused(hub: str) -> None:
    with pytest.raises(StartError, match="GOLEM_HUB"):
        split_hub(hub)
