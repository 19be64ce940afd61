"""Runs inside the devnet's container: frames through the devnet's own half of the VPN, without any yagna.

A hub, an agent's line to it, a :class:`golem_devnet.net.vpn.Vpn` and its TAP in a network namespace, as a node has
them. The other end plays the requestor's yagna. Numbered frames go both ways at once; prints how many came, and the
first that was not what was sent in its place.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from golem_devnet.net.bus import BusClient
from golem_devnet.net.hub import Hub
from golem_devnet.net.line import HubLine
from golem_devnet.net.vpn import Membership, Vpn

COUNT = int(sys.argv[1]) if sys.argv[1:] else 20_000
UNDER_WAY = 100
"""Frames that may be on their way in one direction: fewer than any queue holds, so none may be lost."""

NETWORK, PROVIDER, REQUESTOR = "f00d", "0xprovider", "0xrequestor"
THERE, HERE = bytes([10, 77, 0, 1]), bytes([10, 77, 0, 2])
NODE = "innocent"
TAP = f"gt{NODE}"
STRANGER = bytes([2, 0, 0, 0, 0, 9])
"""A hardware address nobody has: the node's kernel lets such frames be seen and answers none."""

PATIENCE = 120.0
"""Seconds."""

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
ALL_PROTOCOLS = 3


def frames(source: bytes, destination: bytes) -> list[bytes]:
    """Ethernet frames with an IPv4 header and reproducible, numbered content of all sizes."""
    dice = random.Random(source)
    header = STRANGER + STRANGER[:5] + b"\x01" + b"\x08\x00\x45" + bytes(8) + b"\xfd" + bytes(2) + source + destination
    return [header + n.to_bytes(8, "big") + dice.randbytes(dice.randrange(20, 1344)) for n in range(COUNT)]


def empty_node() -> subprocess.Popen[bytes]:
    """A process with a network of its own."""
    node = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    own = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{node.pid}/ns/net").readlink() == own:
        time.sleep(0.01)
    return node


@contextmanager
def in_network_of(pid: int) -> Iterator[None]:
    """This thread within the network of a process."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(there)


class Arrivals:
    """Compares what arrives with what was sent, in its order."""

    def __init__(self, sent: list[bytes]) -> None:
        self._sent = sent
        self.count = 0
        self.wrong: str | None = None
        self.room = asyncio.Semaphore(UNDER_WAY)
        self.complete = asyncio.Event()

    def take(self, frame: bytes) -> None:
        if self.wrong is None and (self.count >= COUNT or frame != self._sent[self.count]):
            number = int.from_bytes(frame[34:42], "big")
            self.wrong = f"at place {self.count} came frame {number}, {len(frame)} bytes"
        self.count += 1
        self.room.release()
        if self.count >= COUNT:
            self.complete.set()

    def report(self) -> dict[str, object]:
        return {"sent": COUNT, "arrived": self.count, "wrong": self.wrong}


async def send(out: list[bytes], arrivals: Arrivals, give: Callable[[bytes], None]) -> None:
    for frame in out:
        await arrivals.room.acquire()
        give(frame)


async def exchange(vpn_port: socket.socket, requestor: BusClient) -> dict[str, object]:
    """All frames, both ways at once."""
    to_node, from_node = frames(THERE, HERE), frames(HERE, THERE)
    at_node, at_requestor = Arrivals(to_node), Arrivals(from_node)
    address = f"/net/{PROVIDER}/vpn/{NETWORK}/raw"

    def on_node_frame() -> None:
        frame, where = vpn_port.recvfrom(65536)
        if where[2] != socket.PACKET_OUTGOING and frame[26:30] == THERE:  # not what we sent, not the kernel's own
            at_node.take(frame)

    def on_requestor_frame(caller: str, frame: bytes) -> None:
        if caller == PROVIDER and frame[26:30] == HERE and frame[:6] == STRANGER:
            at_requestor.take(frame)

    async def refuse(_caller: str, _address: str, _body: bytes) -> bytes:
        raise AssertionError("no typed call is made here")

    def to_hub(frame: bytes) -> None:
        requestor.send_raw(address, frame, caller=REQUESTOR, answered=lambda: None)

    await requestor.bind(f"/net/{REQUESTOR}/vpn/{NETWORK}", refuse, raw=on_requestor_frame)
    asyncio.get_running_loop().add_reader(vpn_port, on_node_frame)
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(send(to_node, at_node, to_hub), send(from_node, at_requestor, vpn_port.sendall))
            await asyncio.gather(at_node.complete.wait(), at_requestor.complete.wait())
            await asyncio.sleep(0.5)  # what comes now was sent once and arrives twice
    except TimeoutError:
        pass  # the report says how far it came
    finally:
        asyncio.get_running_loop().remove_reader(vpn_port)
    return {"to the node": at_node.report(), "from the node": at_requestor.report()}


async def main() -> None:
    server = await Hub().serve("127.0.0.1", 0)
    url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    node = empty_node()
    requestor, line = await BusClient.connect(url, "requestor"), HubLine(url, "provider")
    membership = Membership(NETWORK, "10.77.0.2", 24, {"10.77.0.1": REQUESTOR})
    vpn = Vpn(membership, hub=line, provider_id=PROVIDER, siblings=(), node_key=NODE, pid=node.pid)
    try:
        await vpn.join()
        with in_network_of(node.pid):
            port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
            port.bind((TAP, 0))
        port.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 * 1024 * 1024)
        with port:
            sys.stdout.write(json.dumps(await exchange(port, requestor)))
    finally:
        await vpn.leave()
        await line.close()
        await requestor.close()
        node.kill()
        node.wait()
        server.close()


if __name__ == "__main__":
    asyncio.run(main())
