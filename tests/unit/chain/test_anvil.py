"""anvil's command line and its state file."""

from __future__ import annotations

from pathlib import Path

import pytest

from golem_devnet.chain.anvil import check_state, command
from golem_devnet.chain.errors import DamagedStateError, SettingsError
from golem_devnet.chain.settings import read_settings


@pytest.mark.parametrize("content", [b"", b'{"block":', b"[]", b'{"other": 1}', b"\xff\xfe"])
def test_a_damaged_state_names_file_and_way_out(tmp_path: Path, content: bytes) -> None:
    state = tmp_path / "state.json"
    state.write_bytes(content)
    with pytest.raises(DamagedStateError) as caught:
        check_state(state)
    assert str(state) in str(caught.value)
    assert "make devnet-reset" in str(caught.value)


def test_the_way_out_is_the_one_that_compose_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.touch()
    monkeypatch.setenv("START_ANEW", "docker compose -p mine-devnet down --volumes")
    with pytest.raises(DamagedStateError, match="docker compose -p mine-devnet down --volumes, then"):
        check_state(state)


def test_a_new_chain_and_a_dumped_one_are_fine(tmp_path: Path) -> None:
    check_state(tmp_path / "state.json")
    (tmp_path / "state.json").write_text('{"block": {}, "accounts": {}}')
    check_state(tmp_path / "state.json")


def test_the_chain_is_pruned_persistent_and_mines_on_demand() -> None:
    arguments = command("anvil", Path("/data/state.json"), 8545, 560048)
    assert "--prune-history" in arguments
    assert arguments[arguments.index("--state") + 1] == "/data/state.json"
    assert "--block-time" not in arguments


def test_settings_have_defaults_and_exact_amounts() -> None:
    settings = read_settings({"DEVNET_WALLET_GAS": "0.25"})
    assert (settings.wallet_glm, settings.wallet_gas) == (1000 * 10**18, 25 * 10**16)
    assert settings.published_rpc == "http://chain:8545"
    with pytest.raises(SettingsError, match="DEVNET_WALLET_GLM"):
        read_settings({"DEVNET_WALLET_GLM": "a lot"})
