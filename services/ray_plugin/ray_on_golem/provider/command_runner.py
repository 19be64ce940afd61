"""ssh as Ray does it, without what is needless here.

- The bridge says when a node is ready: no five-second naps.
- The way to a node's sshd is worked out when it is used, so that Ray's cached config does not depend on it.
- No journey of its own for ``mkdir``: the copy that follows makes the folder; a small file is copied in one.
- Ray trusts any host key; here it has to be the node's.
- A cluster that is thrown away is not asked politely to stop.
"""

from __future__ import annotations

import re
import subprocess
import time
from typing import Any, Callable

from ray.autoscaler._private.command_runner import SSHCommandRunner

from ray_on_golem.provider import host_keys
from ray_on_golem.provider.records import NodeRecord
from ray_on_golem.provider.upload import Upload, remote_path

WaitUntilRunning = Callable[[str, float], NodeRecord]
"""(node id, deadline in unix seconds) to the running node; raises when it ended."""

MKDIR = re.compile(r"mkdir -p (?P<folder>~?[\w./@%+=:,-]*)")
"""What Ray runs before each file mount."""

STOP = "ray stop"
"""What ``ray down`` runs; its waiting for processes takes up to 8 s."""

UPLOAD_TIMEOUT = 60.0
"""Seconds for one small file."""


class GolemCommandRunner(SSHCommandRunner):
    """Ray's own runner for one node; ``proxy_command`` is used where the config names none."""

    def __init__(
        self,
        *,
        wait_until_running: WaitUntilRunning,
        proxy_command: str | None,
        auth_config: Any,
        cluster_name: str,
        **arguments: Any,
    ) -> None:
        if proxy_command is not None and not auth_config.get("ssh_proxy_command"):
            auth_config = {**auth_config, "ssh_proxy_command": proxy_command}
        super().__init__(auth_config=auth_config, cluster_name=cluster_name, **arguments)  # type: ignore[no-untyped-call]
        self.ssh_options.arg_dict["LogLevel"] = "ERROR"
        self._cluster_name = cluster_name
        self._wait_until_running = wait_until_running
        self._folder: str | None = None

    def run(self, cmd: str | None = None, *arguments: Any, **named: Any) -> Any:
        mkdir = MKDIR.fullmatch(cmd or "") if named.get("run_env") == "host" else None
        if mkdir:
            self._folder = mkdir["folder"] or None
            return None
        if cmd == STOP:
            cmd = f"{STOP} --force"
        if named.get("ssh_options_override_ssh_key") == self.ssh_private_key:
            # Ray would open a new connection, with the same key
            named.pop("ssh_options_override_ssh_key", None)
        return super().run(cmd, *arguments, **named)

    def run_rsync_up(self, source: str, target: str, options: dict[str, Any] | None = None) -> None:
        """A small file goes with one command over the open connection, anything else by rsync."""
        upload = Upload.of(source, target, options or {})
        if upload is None or not self._run_upload(upload):
            super().run_rsync_up(source, target, options)  # type: ignore[no-untyped-call]
        self._folder = None

    def _run_upload(self, upload: Upload) -> bool:
        """Whether it succeeded; where it did not, rsync tries, and explains."""
        ssh = ["ssh", *self.ssh_options.to_ssh_options_list(timeout=120)]
        try:
            self.process_runner.run(
                [*ssh, f"{self.ssh_user}@{self._host()}", upload.command],
                input=upload.content,
                capture_output=True,
                check=True,
                timeout=UPLOAD_TIMEOUT,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False
        return True

    def _host(self) -> str:
        """What ssh is told to connect to."""
        if hasattr(self, "_get_ssh_target"):
            return str(self._get_ssh_target())  # type: ignore[no-untyped-call]
        # Ray 2.9
        self._set_ssh_ip_if_required()  # type: ignore[no-untyped-call]
        return str(self.ssh_ip)

    def _create_rsync_filter_args(self, options: Any) -> list[str]:
        """Files belong to the node's user, whoever had them on the host."""
        more = ["--no-o", "--no-g"]
        if self._folder is not None:
            more += ["--rsync-path", f"mkdir -p {remote_path(self._folder)} && rsync"]
        return [*super()._create_rsync_filter_args(options), *more]  # type: ignore[no-untyped-call]

    def _wait_for_ip(self, deadline: float) -> str:
        node = self._wait_until_running(self.node_id, max(deadline, time.time()))
        self.ssh_options.arg_dict.update(host_keys.only(node, self._cluster_name))
        return str(node.ip)
