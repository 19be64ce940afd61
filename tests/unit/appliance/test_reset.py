"""``make devnet-reset`` takes the devnet's chain and wallet, and nothing of a network where money is real."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from appliance import __main__ as program
from appliance.reset import reset
from appliance.steps import StepError
from appliance.volumes import SCRIPT
from tests.unit.appliance.bench import Docker, Recorder, on

GONE = ["ray-on-golem-unit_chain-config", "ray-on-golem-unit_chain-data", "ray-on-golem-unit_devnet-data"]


@pytest.fixture
def with_a_wallet(docker: Docker) -> None:
    """Nothing runs; the volume of the wallets is there."""
    docker("[ $1 = ps ] || printf 'ray-on-golem-unit_yagna-data\\n'")


@pytest.mark.usefixtures("with_a_wallet")
@pytest.mark.parametrize("network", ["devnet", "polygon"])
def test_the_appliance_stops_before_anything_is_removed(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    steps = Recorder()
    reset(steps, on(network))
    down, forget, remove = steps.commands
    assert down.endswith("down --remove-orphans")
    assert "--volume=ray-on-golem-unit_yagna-data:/volumes/yagna-data:rw" in forget
    assert forget.endswith("/volumes.sh forget-devnet /volumes")
    assert remove.split()[-3:] == GONE
    assert "make up" in capsys.readouterr().out


@pytest.mark.usefixtures("stopped")
def test_no_volume_is_made_only_to_be_emptied() -> None:
    steps = Recorder()
    reset(steps, on("devnet"))
    assert steps.ran("forget-devnet", "volume rm") == ["volume rm"]


@pytest.mark.usefixtures("rented")
def test_not_while_nodes_are_rented(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Recorder()
    with pytest.raises(StepError, match=r"(?s)1 node\(s\) are still rented.*make devnet-reset FORCE=1"):
        reset(steps, on("devnet"))
    assert steps.commands == []
    monkeypatch.setenv("FORCE", "1")
    reset(steps, on("devnet"))
    assert steps.ran("down", "volume rm") == ["down", "volume rm"]


def test_only_the_devnets_folder_goes(tmp_path: Path) -> None:
    wallets = tmp_path / "yagna-data"
    for name in ("devnet", "hoodi", "polygon", ".local"):
        (wallets / name).mkdir(parents=True)
        (wallets / name / "yagna.db").touch()
    for _ in range(2):
        subprocess.run(["/bin/sh", str(SCRIPT), "forget-devnet", str(tmp_path)], check=True)
        assert sorted(path.name for path in wallets.iterdir()) == [".local", "hoodi", "polygon"]
        assert (wallets / "polygon" / "yagna.db").exists()


def test_make_knows_it() -> None:
    assert program.COMMANDS["devnet-reset"] is reset
