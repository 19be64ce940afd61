"""Our side: the running appliance, its bridge, the host's Ray with our plug-in."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from pathlib import Path

import yaml

from appliance.paths import CLUSTER_FILE, VENV
from appliance.settings import Settings
from tests.bench.beside.side import Side, cpu_of
from tests.devnet import compose
from tests.exposed import exposed

REQUESTS = re.compile(r"^rayongolem_http_requests_total\{(?P<labels>.*)\} (?P<count>\S+)$", re.MULTILINE)


class Bridge:
    """By its own counters, and its container's processes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        container = compose("ps", "--quiet", "bridge").strip()
        form = ["docker", "inspect", "--format", "{{.State.Pid}}", container]
        init = subprocess.run(form, capture_output=True, text=True, check=True).stdout.strip()
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", init], capture_output=True, text=True, check=True)
        self._pids = [int(pid) for pid in children.stdout.split()]

    def requests(self) -> int:
        text = exposed(self._settings)
        return sum(int(float(found["count"])) for found in REQUESTS.finditer(text) if 'door="head"' in found["labels"])

    def cpu(self) -> float:
        return cpu_of(self._pids)


def token(settings: Settings) -> str:
    return settings.token_file.read_text(encoding="utf-8").strip()


def ours(settings: Settings, folder: Path) -> Side:
    """A new cluster file, as the appliance's own one is."""
    content = yaml.safe_load(CLUSTER_FILE.read_text(encoding="utf-8"))
    content["cluster_name"] = name = f"ours-{secrets.token_hex(2)}"
    content["provider"]["parameters"]["token_file"] = str(settings.token_file)
    content["available_node_types"]["ray.worker.default"]["resources"] = {"CPU": 1, "far": 1}
    key = folder / f"{name}-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    content["auth"] = {"ssh_user": "root", "ssh_private_key": str(key)}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return Side(
        name="ours",
        cluster=name,
        cluster_file=path,
        ray=VENV / "bin" / "ray",
        environment={**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        port=settings.ports.bridge,
        token=token(settings),
        key=key,
        server=Bridge(settings),
    )
