"""The files by which yagna learns of the chain."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from golem_devnet.chain.config import ChainFacts, payments_config, publish, read_facts
from golem_devnet.chain.errors import ConfigMissingError

FACTS = ChainFacts("http://chain:8545", 560048, "0x" + "c" * 40)


def test_the_payment_configuration_knows_one_chain_and_one_endpoint() -> None:
    document = tomllib.loads(payments_config(FACTS))
    assert list(document["chain"]) == ["hoodi"]
    hoodi = document["chain"]["hoodi"]
    assert (hoodi["chain-id"], hoodi["token"]["address"]) == (FACTS.chain_id, FACTS.glm)
    assert [endpoint["endpoints"] for endpoint in hoodi["rpc-endpoints"]] == [FACTS.rpc]
    assert not {"dns-source", "json-source"} & hoodi["rpc-endpoints"][0].keys()


def test_an_automined_chain_is_never_too_old() -> None:
    hoodi = tomllib.loads(payments_config(FACTS))["chain"]["hoodi"]
    assert hoodi["rpc-endpoints"][0]["allowed-head-behind-secs"] == -1
    assert hoodi["confirmation-blocks"] == 0


def test_several_providers_need_a_chain_without_multi_payments() -> None:
    assert "multi-contract" not in tomllib.loads(payments_config(FACTS))["chain"]["hoodi"]


def test_what_is_published_can_be_read_back_and_leaves_no_scratch_files(tmp_path: Path) -> None:
    publish(tmp_path, FACTS)
    publish(tmp_path, FACTS)
    assert read_facts(tmp_path) == FACTS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chain.json", "config-payments.toml"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"rpc": "x"}', '{"rpc": "x", "chain_id": 1, "glm": "0x1"}'])
def test_a_broken_file_is_told_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "chain.json").write_text(text)
    with pytest.raises(ConfigMissingError, match=r"chain\.json"):
        read_facts(tmp_path)


def test_no_file_means_not_ready(tmp_path: Path) -> None:
    with pytest.raises(ConfigMissingError, match="not been ready"):
        read_facts(tmp_path)
