"""What tests of crashes share: jobs that go on in the background, containers that end, the cluster asked meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from appliance.bridge import Bill, Bridge
from appliance.paths import EXAMPLE, ROOT
from appliance.settings import Settings
from appliance.settlement import check_chain, check_nothing_open, wait_for_settlement
from appliance.steps import StepError, Steps
from tests.e2e.cluster import ClusterFile, wait_until
from tests.exposed import exposed

INSIDE = Path(__file__).parent / "inside"


def ask_door(cluster: ClusterFile, name: str) -> str:
    """What the head's own door says of a cluster, asked from inside the head."""
    said = cluster.ray("exec", f"python ask_door.py GET /v1/clusters/{name}").text
    return "".join(line for line in said.splitlines() if line.startswith("door "))


def tunnel_is_up(cluster: ClusterFile) -> bool:
    """Whether the bridge takes the tunnel from the cluster's head for open."""
    return f'rayongolem_tunnel_up{{cluster="{cluster.name}"}} 1.0' in exposed(cluster.settings)


def take_along(cluster: ClusterFile) -> None:
    """Copy what is run on the head to it."""
    for script in (EXAMPLE, INSIDE / "ask_door.py", INSIDE / "cut_tunnel.py"):
        outcome = cluster.ray("rsync-up", script, f"/root/{script.name}")
        assert outcome.code == 0, outcome.text


def start_job(cluster: ClusterFile, name: str) -> None:
    """More tasks than one node does soon, in the background of the head."""
    job = f"nohup python tasks.py --count 80 --seconds 1 --min-nodes 3 > {name}.log 2>&1 &"
    outcome = cluster.ray("exec", job)
    assert outcome.code == 0, outcome.text


def wait_for_job(cluster: ClusterFile, name: str) -> None:
    wait_until(lambda: " tasks in " in cluster.ray("exec", f"cat {name}.log").text, 200, "the job to finish")


def running(bridge: Bridge, cluster: ClusterFile) -> list[str]:
    """Ids of a cluster's running nodes."""
    return sorted(node.node_id for node in cluster.nodes(bridge) if node.state == "running")


def answers(bridge: Bridge) -> bool:
    try:
        bridge.wallet()
    except StepError:
        return False
    return True


@dataclass(frozen=True)
class Running:
    """A container, and since when it runs."""

    container: str
    since: str

    @classmethod
    def now(cls, service: str) -> Running:
        container = container_of(service)
        return cls(container, ask_docker("inspect", "--format", "{{.State.StartedAt}}", container))

    def is_back(self) -> bool:
        """Docker has started it again, and it is healthy."""
        since, state = ask_docker(
            "inspect", "--format", "{{.State.StartedAt}} {{.State.Health.Status}}", self.container
        ).split()
        return since != self.since and state == "healthy"


def health(service: str) -> str:
    return ask_docker("inspect", "--format", "{{.State.Health.Status}}", container_of(service))


def container_of(service: str) -> str:
    return ask_docker("compose", "ps", "--quiet", service)


def kill_main_process(service: str) -> None:
    """SIGKILL to the container's own program, below its init: a crash, after which Docker starts it again."""
    os.kill(main_process(service), signal.SIGKILL)


def open_files(service: str) -> int:
    """Descriptors the container's own program holds: files, sockets, pipes."""
    return len(list(Path(f"/proc/{main_process(service)}/fd").iterdir()))


def main_process(service: str) -> int:
    """The id of the container's own program, the child of its init."""
    init = ask_docker("inspect", "--format", "{{.State.Pid}}", container_of(service))
    return int(ask("ps", "-o", "pid=", "--ppid", init).split()[0])


def recreate_bridge(settings: Settings, **changed: str) -> None:
    """The bridge's container anew, with some settings of `.env` changed; books and nodes stay."""
    subprocess.run(
        ["docker", "compose", "up", "--detach", "--no-deps", "--no-build", "--wait", "bridge"],
        cwd=ROOT,
        env={**settings.compose_environment(), **changed},
        check=True,
        capture_output=True,
        timeout=180,
    )


def restart(service: str) -> None:
    """SIGTERM, and started again."""
    ask_docker("compose", "restart", service)


def check_down_pays(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    """``ray down`` leaves nothing running, owed or open, and the chain agrees with the bill."""
    assert cluster.down().code == 0
    check_paid(cluster, bridge, steps)


def check_paid(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> Bill:
    """A cluster that is ending leaves nothing running, owed or open; its bill, with which the chain agrees."""
    bill = wait_for_settlement(steps, bridge, cluster.name)
    check_chain(steps, bridge.wallet(), bill)
    wait_until(lambda: not cluster.nodes(bridge), 60, "all nodes to end")
    check_nothing_open(steps)
    return bill


def ask_docker(*arguments: str) -> str:
    return ask("docker", *arguments)


def ask(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
