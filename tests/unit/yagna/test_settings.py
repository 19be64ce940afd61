"""Networks and switches are told apart by what the user wrote, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from yagna_entry.errors import StartError
from yagna_entry.settings import Network, read_settings


def test_the_default_is_the_devnet_without_metrics_push() -> None:
    settings = read_settings({})
    assert settings.network is Network.DEVNET
    assert settings.metrics_push is False
    assert settings.hub == "devnet:7477"


@pytest.mark.parametrize(("name", "payment"), [("devnet", "hoodi"), ("hoodi", "hoodi"), ("polygon", "polygon")])
def test_each_network_has_a_folder_of_its_own(name: str, payment: str) -> None:
    settings = read_settings({"GOLEM_NETWORK": name})
    assert settings.data_dir == Path("/var/lib/yagna") / name
    assert settings.network.payment_network == payment


@pytest.mark.parametrize("name", ["", "mainnet", "Devnet", "holesky", "devnet "])
def test_any_other_network_is_refused_with_the_choice(name: str) -> None:
    with pytest.raises(StartError, match="devnet, hoodi, polygon") as caught:
        read_settings({"GOLEM_NETWORK": name})
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(("text", "push"), [("on", True), ("off", False)])
def test_metrics_push(text: str, push: bool) -> None:
    assert read_settings({"YAGNA_METRICS_PUSH": text}).metrics_push is push


def test_a_misspelt_switch_is_refused() -> None:
    with pytest.raises(StartError, match="YAGNA_METRICS_PUSH"):
        read_settings({"YAGNA_METRICS_PUSH": "yes"})
