"""Six nodes at once: they talk to each other, and leave nothing behind."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack

import pytest

from tests.devnet import PYTHON, inside, switch
from tests.integration.requestor import START, Requestor, shell

pytestmark = pytest.mark.usefixtures("honest")

CHEAP = ("alder", "birch", "cedar", "dogwood", "elm")
TRACES = """
import json, os, pathlib, subprocess
def out(*command): return subprocess.run(command, capture_output=True, text=True, check=True).stdout
names = sorted(line.split(":")[1].strip().split("@")[0] for line in out("ip", "-o", "link").splitlines())
def space(process):
    try:
        return os.readlink(process / "ns/pid")
    except OSError:
        return None  # it ended just now
spaces = {space(process) for process in pathlib.Path("/proc").glob("[0-9]*")} - {None}
print(json.dumps({
    "links": names,
    "mounts": len(pathlib.Path("/proc/self/mounts").read_text().splitlines()),
    "pid_namespaces": len(spaces),
    "node_processes": out("ps", "axo", "comm").split().count("unshare"),
    "files": sorted(str(p) for p in pathlib.Path("/run/golem-devnet/nodes").glob("*/*")),
}))
"""


def traces() -> dict[str, object]:
    """What nodes could leave in the devnet's container."""
    found: dict[str, object] = json.loads(inside("devnet", PYTHON, "-c", TRACES))
    return found


async def test_six_nodes_at_once_leave_nothing(requestor: Requestor) -> None:
    before = traces()
    assert before["node_processes"] == 0
    async with AsyncExitStack() as stack:
        network_id = await stack.enter_async_context(requestor.network())
        rentals = [await stack.enter_async_context(requestor.rented(name)) for name in (*CHEAP, "gilded")]
        members = [(f"192.168.7.{number}", rental) for number, rental in enumerate(rentals, start=2)]
        for _, rental in members:
            results = await requestor.execute(
                rental, await requestor.join(network_id, members, rental), START, shell("nohup sleep 9999 & echo up")
            )
            assert results[-1]["stdout"] == "up\n", results
        during = traces()
        assert during["node_processes"] == 6
        for _, rental in members:
            await requestor.end(rental)
    assert traces() == before


async def test_a_killed_providers_node_leaves_nothing(requestor: Requestor) -> None:
    before = traces()
    async with requestor.network() as network_id, requestor.rented("alder") as rental:
        members = [("192.168.7.2", rental)]
        await requestor.execute(rental, await requestor.join(network_id, members, rental), START)
        assert traces()["node_processes"] == 1
        switch("crash", "alder")

        async def clean() -> bool:
            return traces() == before

        await requestor.until(clean, "traces are left")


async def test_two_nodes_ssh_to_each_other(requestor: Requestor) -> None:
    serve = (
        "mkdir -p /run/sshd /root/.ssh && ssh-keygen -A >/dev/null && cp /tmp/key.pub /root/.ssh/authorized_keys && "
        "/usr/sbin/sshd"
    )
    log_in = (
        "ssh -i /tmp/key -o StrictHostKeyChecking=no -o ConnectTimeout=10 -o LogLevel=ERROR root@{ip} "
        "'hostname; head -c 30000000 /dev/zero' | head -c 20 | head -1"
    )
    async with AsyncExitStack() as stack:
        network_id = await stack.enter_async_context(requestor.network())
        rentals = [await stack.enter_async_context(requestor.rented(name)) for name in ("alder", "birch")]
        members = [(f"192.168.7.{number}", rental) for number, rental in enumerate(rentals, start=2)]
        key = "ssh-keygen -q -t ed25519 -N '' -f /tmp/key && cat /tmp/key /tmp/key.pub"
        text = ""
        for _, rental in members:
            put = shell(key) if not text else shell(f"umask 77; printf '%s' '{text}' > /tmp/both; "
                "sed '/^ssh-/d' /tmp/both > /tmp/key; grep ^ssh- /tmp/both > /tmp/key.pub")  # fmt: skip
            results = await requestor.execute(
                rental, await requestor.join(network_id, members, rental), START, put, shell(serve)
            )
            assert results[-1]["result"] == "Ok", results
            text = text or results[2]["stdout"]
        for (_, here), (there, _) in (members, members[::-1]):
            (result,) = await requestor.execute(here, shell(log_in.format(ip=there)))
            assert result["stdout"] == there.replace(".", "-") + "\n", result
