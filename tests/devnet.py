"""The running appliance's devnet as tests on the host see it: yagna is reached at its container's address.

The appliance is the one of COMPOSE_PROJECT_NAME; see appliance/testing.py.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
YAGNA_PORT = 7465
CATALOGUE_PORT = 8480
PYTHON = "/opt/devnet/bin/python"
SUBNET = "devnet"


def is_up() -> bool:
    """Whether the tests may use an appliance."""
    return os.environ.get("RAY_ON_GOLEM_APPLIANCE") == "up"


def compose(*arguments: str, timeout: float = 120) -> str:
    """``docker compose …``; its standard output."""
    command = ["docker", "compose", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def inside(service: str, *command: str) -> str:
    """Run a command in a service's container."""
    return compose("exec", "-T", service, *command)


def address(service: str) -> str:
    """Of a service's container in the network of the Golem part; no port of it is published."""
    container = compose("ps", "--quiet", service).strip()
    form = "{{json .NetworkSettings.Networks}}"
    done = subprocess.run(["docker", "inspect", "-f", form, container], capture_output=True, text=True, check=True)
    networks = json.loads(done.stdout)
    (found,) = [network["IPAddress"] for name, network in networks.items() if name.endswith("_golem")]
    return str(found)


def yagna_url() -> str:
    """The requestor's yagna."""
    return f"http://{address('yagna')}:{YAGNA_PORT}"


def app_key() -> str:
    return inside("yagna", "cat", "/run/yagna/app-key").strip()


def switch(*arguments: str) -> dict[str, Any]:
    """``faults …`` at the switchboard; the state of all providers."""
    state: dict[str, Any] = json.loads(inside("devnet", PYTHON, "-m", "golem_devnet", "faults", *arguments))
    return state


@contextmanager
def faults(provider: str, *settings: str) -> Iterator[None]:
    """A provider with faults, honest again afterwards."""
    switch("set", provider, *settings)
    try:
        yield
    finally:
        switch("clear", provider)


def provider_asks(provider: str, path: str) -> Any:  # noqa: ANN401 - parsed JSON
    """A GET of the provider side's yagna, with the provider's own key."""
    return json.loads(inside("devnet", PYTHON, "-c", ASK, provider, path))


def agent_pid(provider: str) -> int:
    """The process that is the provider; another one after each restart."""
    return int(inside("devnet", "pgrep", "--full", f"golem_devnet.agent .*/agent-{provider}.json"))


ASK = """
import json, sys, urllib.request
config = json.load(open(f"/run/golem-devnet/agent-{sys.argv[1]}.json"))
headers = {"Authorization": "Bearer " + config["app_key"]}
request = urllib.request.Request(config["api_url"] + sys.argv[2], headers=headers)
print(urllib.request.urlopen(request, timeout=20).read().decode())
"""


def glm_wei(address: str) -> int:
    """What an address holds on the chain."""
    balance = json.loads(inside("chain", "python3", "-m", "golem_devnet.chain", "balance", address, "--json"))
    return int(balance["glm_wei"])
