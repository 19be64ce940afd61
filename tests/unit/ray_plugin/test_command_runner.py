"""ssh to nodes: as few journeys as possible. ssh itself is a recorder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.place import Place
from ray_on_golem.provider.command_runner import GolemCommandRunner
from ray_on_golem.provider.records import NodeRecord
from ray_on_golem.provider.relay import proxy_command
from ray_on_golem.provider.upload import LIMIT, Upload, remote_path
from tests.unit.ray_plugin.fake_bridge import HOST_KEY, node_view


class Recorder:
    """Ray's process runner: remembers commands; ``refuse`` makes the quick copy fail."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.inputs: list[bytes] = []
        self.refuse = False

    def check_call(self, command: list[str], **_: object) -> int:
        self.commands.append(command)
        return 0

    def run(self, command: list[str], *, input: bytes, **_: object) -> None:
        self.commands.append(command)
        self.inputs.append(input)
        if self.refuse:
            raise subprocess.CalledProcessError(1, command)


@pytest.fixture
def ssh() -> Recorder:
    return Recorder()


def runner(ssh: Recorder, **changes: object) -> GolemCommandRunner:
    arguments: dict[str, Any] = {
        "wait_until_running": lambda node_id, _deadline: NodeRecord.parse(node_view(node_id)),
        "proxy_command": "relay %h",
        "log_prefix": "",
        "node_id": "one-1-head-0001",
        "provider": None,
        "auth_config": {"ssh_user": "root", "ssh_private_key": "/key"},
        "cluster_name": "one",
        "process_runner": ssh,
        "use_internal_ip": True,
    }
    return GolemCommandRunner(**{**arguments, **changes})


def test_ssh_goes_through_the_bridge_and_is_quiet(ssh: Recorder) -> None:
    runner(ssh).run("uptime", run_env="host")
    (command,) = ssh.commands
    assert "ProxyCommand=relay %h" in command
    assert "LogLevel=ERROR" in command
    assert "root@192.168.0.3" in command


def test_ssh_believes_in_the_nodes_own_host_key_only(ssh: Recorder, home: Path) -> None:
    run = runner(ssh)
    run.run("uptime")
    run.run_rsync_up(f"{home}/", "~/data/", {})
    noted = home / ".local/share/ray-on-golem/one/known_hosts/192.168.0.3"
    wanted = {"StrictHostKeyChecking=yes", "HostKeyAlias=one-1-head-0001", f"UserKnownHostsFile={noted}"}
    login, copy = ssh.commands
    assert wanted <= set(login)
    assert all(option in " ".join(copy) for option in wanted)
    assert noted.read_text() == f"one-1-head-0001 {HOST_KEY}\n"


def test_an_address_given_out_again_is_another_node(ssh: Recorder, home: Path) -> None:
    for node_id in ("one-1-worker-0002", "one-1-worker-0009"):
        runner(ssh, node_id=node_id).run("true")
    (noted,) = (home / ".local/share/ray-on-golem/one/known_hosts").iterdir()
    assert noted.read_text() == f"one-1-worker-0009 {HOST_KEY}\n"


def test_without_a_place_to_note_the_host_key_nobody_is_logged_in_to(ssh: Recorder, home: Path) -> None:
    (home / ".local").write_text("no folder")
    with pytest.raises(RayOnGolemError, match=r"Cannot note a node's host key in .*/192.168.0.3 — Not a directory"):
        runner(ssh).run("true")
    assert ssh.commands == []


@pytest.mark.parametrize("folder", ["plain", "a b", "100%"])
def test_ssh_finds_the_host_key_in_odd_folders(ssh: Recorder, home: Path, folder: str) -> None:
    """ssh -G prints what it has made of its options."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(home / folder))
        runner(ssh).run("true")
    (command,) = ssh.commands
    told = subprocess.run(["ssh", "-G", *command[1:]], capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in told.splitlines() if line.startswith("userknownhostsfile")]
    assert line.partition(" ")[2].replace("%%", "%") == f"{home}/{folder}/ray-on-golem/one/known_hosts/192.168.0.3"


def test_a_proxy_of_the_users_own_is_kept_and_a_head_has_none(ssh: Recorder) -> None:
    auth = {"ssh_user": "root", "ssh_proxy_command": "own %h"}
    runner(ssh, auth_config=auth).run("true")
    runner(ssh, proxy_command=None).run("true")
    assert "ProxyCommand=own %h" in ssh.commands[0]
    assert not [part for part in ssh.commands[1] if part.startswith("ProxyCommand")]


def test_the_proxy_command_survives_odd_paths(tmp_path: Path) -> None:
    place = Place(5000, tmp_path / "my 100% folder" / "token")
    command = str(proxy_command(place, "one"))
    assert f"--port 5000 --cluster one --token-file '{tmp_path}/my 100%% folder/token' %h" in command
    assert proxy_command(Place(4578, None), "one") is None


def test_a_folder_is_made_by_the_copy_that_follows(ssh: Recorder, tmp_path: Path) -> None:
    run = runner(ssh)
    run.run("mkdir -p ~/data/in", run_env="host")
    assert ssh.commands == []
    run.run_rsync_up(f"{tmp_path}/", "~/data/in/", {"rsync_exclude": ["*.tmp"]})
    (command,) = ssh.commands
    assert command[0] == "rsync"
    assert command[command.index("--rsync-path") + 1] == "mkdir -p ~/data/in && rsync"
    assert "*.tmp" in command
    assert "--no-o" in command
    run.run_rsync_up(f"{tmp_path}/", "~/data/", {})
    assert "--rsync-path" not in ssh.commands[1]


def test_a_relative_file_needs_no_folder(ssh: Recorder) -> None:
    """Ray runs mkdir with nothing behind it then, which fails."""
    runner(ssh).run("mkdir -p ", run_env="host")
    assert ssh.commands == []


@pytest.mark.parametrize("command", ["mkdir -p $HOME/x", "mkdir -p a && rm b", "mkdir a", "mkdir -p a b"])
def test_other_commands_are_run(ssh: Recorder, command: str) -> None:
    runner(ssh).run(command, run_env="host")
    assert command in ssh.commands[0][-1]


def test_a_users_mkdir_is_run(ssh: Recorder) -> None:
    runner(ssh).run("mkdir -p x")
    assert "mkdir -p x" in ssh.commands[0][-1]


def test_a_small_file_is_one_journey(ssh: Recorder, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"secret")
    file.chmod(0o600)
    run = runner(ssh)
    run.run("mkdir -p ~", run_env="host")
    run.run_rsync_up(str(file), "~/ray_bootstrap_key.pem", {})
    (command,) = ssh.commands
    assert command[0] == "ssh"
    assert command[-2:] == ["root@192.168.0.3", "cat | install -D -T -m 600 /dev/stdin ~/ray_bootstrap_key.pem"]
    assert ssh.inputs == [b"secret"]


def test_rsync_tries_where_the_quick_copy_fails(ssh: Recorder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    ssh.refuse = True
    run = runner(ssh)
    run.run("mkdir -p /srv", run_env="host")
    run.run_rsync_up(str(tmp_path / "file"), "/srv/file", {})
    assert [command[0] for command in ssh.commands] == ["ssh", "rsync"]
    assert "mkdir -p /srv && rsync" in ssh.commands[1]


def test_initialization_commands_use_the_open_connection(ssh: Recorder) -> None:
    run = runner(ssh)
    run.run("true", ssh_options_override_ssh_key="/key")
    run.run("true", ssh_options_override_ssh_key="/another")
    shared = [any(part.startswith("ControlPath=") for part in command) for command in ssh.commands]
    assert shared == [True, False]


def test_ray_down_does_not_wait_for_processes(ssh: Recorder) -> None:
    run = runner(ssh)
    run.run("ray stop")
    run.run("ray stop -g 5")
    assert "ray stop --force" in ssh.commands[0][-1]
    assert "--force" not in ssh.commands[1][-1]


def test_what_is_left_to_rsync(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"x" * LIMIT)
    large.write_bytes(b"x" * (LIMIT + 1))
    (tmp_path / "link").symlink_to(small)
    assert Upload.of(str(small), "/t", {}) is not None
    for source, target, options in [
        (str(large), "/t", {}),
        (str(tmp_path), "/t", {}),
        (str(tmp_path / "link"), "/t", {}),
        (str(tmp_path / "missing"), "/t", {}),
        (str(small), "/t/", {}),
        (str(small), "/t", {"rsync_exclude": ["*.log"]}),
        (str(small), "/t", {"rsync_filter": [".gitignore"]}),
    ]:
        assert Upload.of(source, target, options) is None


@pytest.mark.parametrize(
    ("path", "quoted"),
    [("~", "~"), ("~/", "~/"), ("~/a b", "~/'a b'"), ("/a;b", "'/a;b'"), ("a", "a"), ("~x/$y", "'~x/$y'")],
)
def test_remote_paths(path: str, quoted: str) -> None:
    assert remote_path(path) == quoted


@pytest.mark.parametrize("content", [b"", b"text\n", bytes(range(256)) * 1000])
def test_the_quick_copy_in_a_real_shell(tmp_path: Path, home: Path, content: bytes) -> None:
    """sh stands for sshd's; folders on the way are made, what is there is replaced, a folder is refused."""
    assert shutil.which("install")
    source = tmp_path / "source file"
    source.write_bytes(content)
    source.chmod(0o751)
    upload = Upload.of(str(source), "~/new folder/it's", {})
    assert upload is not None
    target = home / "new folder" / "it's"
    for _ in range(2):
        subprocess.run(["sh", "-c", upload.command], input=upload.content, check=True, env={"HOME": str(home)})
        assert target.read_bytes() == content
        assert target.stat().st_mode & 0o777 == 0o751
        target.write_bytes(b"older")
    into_folder = Upload.of(str(source), str(target.parent), {})
    assert into_folder is not None
    refused = subprocess.run(["sh", "-c", into_folder.command], input=b"", check=False, capture_output=True)
    assert refused.returncode != 0
