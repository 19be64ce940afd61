"""A file that is no whole backup is refused before anything is deleted for it."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance import backup
from appliance.paths import ROOT
from appliance.steps import StepError, Steps
from tests.unit.appliance.bench import Docker, Recorder, on

VOLUMES = ("yagna-data/devnet", "bridge-data", "chain-data", "devnet-data")
PUBLIC = ("yagna-data/polygon", "bridge-data")


def packed(path: Path, *folders: str) -> Path:
    """As ``tar -C /volumes -czf PATH .`` writes it."""
    with tarfile.open(path, "w:gz") as archive:
        for name in (".", *(f"./{folder}" for folder in folders)):
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
        for name in folders:
            content = name.encode() * 10_000
            file = tarfile.TarInfo(f"./{name}/file")
            file.size = len(content)
            archive.addfile(file, io.BytesIO(content))
    return path


def test_a_whole_backup_is_fine(tmp_path: Path) -> None:
    held = backup.check_backup(on("devnet", tmp_path), packed(tmp_path / "all.tar.gz", *VOLUMES))
    assert held == {"devnet"}
    both = packed(tmp_path / "two.tar.gz", *PUBLIC, "yagna-data/devnet")
    assert backup.check_backup(on("polygon", tmp_path), both) == {"devnet", "polygon"}


@pytest.mark.parametrize(
    ("network", "folders", "lacking"),
    [
        ("devnet", PUBLIC, "chain-data"),
        ("polygon", VOLUMES, "yagna-data/polygon"),
        ("polygon", ("yagna-data/other", "bridge-data"), "yagna-data/polygon"),
    ],
)
def test_one_of_another_network_is_refused(
    network: str, folders: tuple[str, ...], lacking: str, tmp_path: Path
) -> None:
    path = packed(tmp_path / "other.tar.gz", *folders)
    expected = f"no backup of {network} — it lacks {lacking} — nothing was changed — .*GOLEM_NETWORK"
    with pytest.raises(StepError, match=expected):
        backup.check_backup(on(network, tmp_path), path)


class Volume(Recorder):
    """``folders`` are what is found in the volume of the wallets."""

    def __init__(self, logs: Path, *folders: str) -> None:
        super().__init__(logs)
        self.folders = folders

    def run(self, command: Sequence[str | Path], **options: object) -> str:
        super().run(command, **options)
        return "\n".join(self.folders) if "wallets" in command else ""


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize(
    ("network", "folders", "lost", "way"),
    [
        ("devnet", VOLUMES, "polygon", "docker volume rm ray-on-golem-unit_yagna-data"),
        ("polygon", PUBLIC, "devnet", "make devnet-reset"),
    ],
)
def test_a_wallet_that_is_not_in_the_backup_is_not_replaced(
    network: str, folders: tuple[str, ...], lost: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM", str(packed(tmp_path / "all.tar.gz", *folders)))
    monkeypatch.setenv("FORCE", "1")
    steps = Volume(tmp_path / "logs", "devnet", "polygon", ".local")
    expected = (
        f"no wallet of {lost}, .* its key would be lost — nothing was changed — keep it: make backup; .*{way}, then"
    )
    with pytest.raises(StepError, match=expected):
        backup.bring_back(steps, on(network, tmp_path))
    assert steps.ran("unpack", "swap", "compose stop") == []


@pytest.mark.usefixtures("stopped")
def test_wallets_that_are_all_in_the_backup_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "both.tar.gz", *VOLUMES, "yagna-data/polygon")
    monkeypatch.setenv("FROM", str(path))
    steps = Volume(tmp_path / "logs", "devnet", "polygon", ".local")
    backup.bring_back(steps, on("devnet", tmp_path))
    assert steps.ran("unpack", "swap") == ["unpack", "swap"]


class Bare(Volume):
    """A machine whose ``docker`` answers once engine.sh has run."""

    def __init__(self, logs: Path, docker: Docker) -> None:
        super().__init__(logs)
        self._docker = docker
        docker("echo 'no engine' >&2; exit 1")

    def run(self, command: Sequence[str | Path], **options: object) -> str:
        if Path(command[0]).name == "engine.sh":
            self._docker("true")
        return super().run(command, **options)


def test_a_bare_machine_gets_engine_and_images_first(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM", str(packed(tmp_path / "all.tar.gz", *VOLUMES)))
    steps = Bare(tmp_path / "new" / "logs", docker)
    run = tmp_path / "new" / "run"
    backup.bring_back(steps, on("devnet", run))
    words = ("engine.sh", f"base-images.sh {run / 'profiles'}", "compose create", "wallets", "unpack", "swap")
    assert steps.ran(*words) == list(words)
    assert run.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("kept", [0, 100, -10])
def test_half_a_backup_is_refused_and_nothing_is_touched(
    kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "all.tar.gz", *VOLUMES)
    path.write_bytes(path.read_bytes()[:kept])
    touched: list[str] = []
    monkeypatch.setattr(backup, "_compose", lambda *arguments: touched.append(arguments[2]))
    monkeypatch.setattr(backup, "in_container", lambda *_, **__: touched.append("volumes"))
    monkeypatch.setenv("FROM", str(path))
    with pytest.raises(StepError, match=r"is no whole backup — .* — nothing was changed"):
        backup.bring_back(Steps(tmp_path / "logs"), on("devnet", tmp_path))
    assert touched == []


@pytest.mark.usefixtures("stopped")
def test_a_backup_that_cannot_be_written_leaves_no_half_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, backup: Path, **__: object) -> None:
        backup.write_bytes(b"half")
        raise StepError("no space left on device")

    monkeypatch.setattr(backup, "in_container", full)
    with pytest.raises(StepError, match="no space"):
        backup.save(Steps(tmp_path / "logs"), on("devnet", tmp_path))
    assert list((tmp_path / "backup").iterdir()) == []


@pytest.mark.parametrize("name", ["", "no/such.tar.gz"])
def test_a_backup_must_be_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM", name)
    with pytest.raises(StepError, match="make restore FROM="):
        backup.bring_back(Steps(tmp_path / "logs"), on("devnet", tmp_path))


def test_a_yagna_without_a_bridge_is_stopped_too_and_alone_started_again(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker("printf 'yagna\\nprometheus\\n'")
    monkeypatch.setattr(backup, "check_backup", lambda *_: None)
    steps = Recorder(tmp_path / "logs")
    backup.save(steps, on("polygon", tmp_path))
    stop, _, start = steps.commands
    assert stop == "docker compose stop yagna"
    assert start == "docker compose up --detach --wait --no-recreate yagna"


@pytest.mark.usefixtures("idle")
def test_a_backup_counts_also_where_the_appliance_does_not_start_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "check_backup", lambda *_: None)
    with pytest.raises(StepError):
        backup.save(Recorder(tmp_path / "logs", "compose up"), on("polygon", tmp_path))
    (made,) = (tmp_path / "backup").iterdir()
    assert made.name.endswith(".tar.gz")


@pytest.mark.usefixtures("silent")
def test_books_are_not_replaced_while_nobody_can_tell_of_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "all.tar.gz", *VOLUMES)
    monkeypatch.setenv("FROM", str(path))
    steps = Recorder(tmp_path / "logs")
    expected = f"rented is not known: .* does not answer .* make restore FROM={path} FORCE=1"
    with pytest.raises(StepError, match=expected):
        backup.bring_back(steps, on("devnet", tmp_path))
    assert [Path(command).name for command in steps.commands] == ["engine.sh"]
    monkeypatch.setenv("FORCE", "1")
    backup.bring_back(steps, on("devnet", tmp_path))
    assert steps.ran("unpack", "swap") == ["unpack", "swap"]


@pytest.mark.usefixtures("rented")
@pytest.mark.parametrize(("network", "harm"), [("devnet", "stops the devnet"), ("polygon", "loses the VPN")])
def test_rented_nodes_are_not_harmed_for_a_copy(
    network: str, harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Recorder(tmp_path / "logs")
    expected = rf"(?s)1 node\(s\) are still rented, a backup [^:]*{harm}.*: make backup FORCE=1"
    with pytest.raises(StepError, match=expected):
        backup.save(steps, on(network, tmp_path))
    assert steps.commands == []
    assert not (tmp_path / "backup").exists()
    monkeypatch.setattr(backup, "check_backup", lambda *_: None)
    monkeypatch.setenv("FORCE", "1")
    backup.save(steps, on(network, tmp_path))
    assert steps.ran(" pack ") == [" pack "]


@pytest.mark.usefixtures("rented")
def test_books_of_rented_nodes_are_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "all.tar.gz", *VOLUMES)
    monkeypatch.setenv("FROM", str(path))
    steps = Recorder(tmp_path / "logs")
    with pytest.raises(StepError, match=r"(?s)1 node\(s\) are still rented, their books would be lost:.*alder"):
        backup.bring_back(steps, on("devnet", tmp_path))
    assert [Path(command).name for command in steps.commands] == ["engine.sh"]


@pytest.mark.usefixtures("idle")
def test_an_appliance_goes_on_with_what_was_brought_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM", str(packed(tmp_path / "all.tar.gz", *VOLUMES)))
    steps = Recorder(tmp_path / "logs")
    backup.bring_back(steps, on("devnet", tmp_path))
    words = ("compose stop bridge yagna", "unpack", "swap", "compose up")
    assert steps.ran(*words) == list(words)


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("compose stop", "nothing was replaced; the appliance is stopped — .*: make up"),
        ("unpack", "nothing was replaced; the appliance is stopped — .*: make up"),
        ("swap", "may be half replaced; .* must not be started like that — run again: make restore FROM=.*all.tar.gz"),
    ],
)
def test_after_a_failure_nothing_is_started_and_it_is_said_what_is_there(
    failing: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM", str(packed(tmp_path / "all.tar.gz", *VOLUMES)))
    steps = Recorder(tmp_path / "logs", failing)
    with pytest.raises(StepError, match=said):
        backup.bring_back(steps, on("devnet", tmp_path))
    assert steps.ran("compose up") == []


@pytest.mark.usefixtures("idle")
def test_an_interruption_is_no_reason_to_start_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FROM", str(packed(tmp_path / "all.tar.gz", *VOLUMES)))

    def interrupted(_steps: Steps, _settings: object, what: str, *_: object, **__: object) -> str:
        if what == "unpack":
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr(backup, "in_container", interrupted)
    steps = Recorder(tmp_path / "logs")
    with pytest.raises(KeyboardInterrupt):
        backup.bring_back(steps, on("devnet", tmp_path))
    assert steps.ran("compose up") == []
    assert "nothing was replaced; the appliance is stopped" in capsys.readouterr().out


def test_make_hands_on_a_name_with_a_space(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text('#!/bin/bash\necho "$FROM"\n')
    python.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["make", "--silent", "restore", "FROM=my backups/all.tar.gz"],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("my backups/all.tar.gz\n", "")


@pytest.mark.usefixtures("silent")
def test_what_is_advised_for_a_name_with_a_space_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my backups"
    folder.mkdir()
    packed(folder / "all.tar.gz", *VOLUMES)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FROM", "~/my backups/all.tar.gz")  # not every shell has put the folder's name there
    with pytest.raises(StepError, match=f"make restore FROM='{folder}/all.tar.gz' FORCE=1"):
        backup.bring_back(Recorder(tmp_path / "logs"), on("devnet", tmp_path))
