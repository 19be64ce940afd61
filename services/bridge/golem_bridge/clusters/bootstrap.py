"""What is done to a freshly started node through the exe-unit: environment, keys, sshd, the relay's node end.

One shell script, one exe-unit ``run``: every round trip through the network costs. It works with any
Debian-like image that holds sh, base64, sshd and Python.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from golem_bridge.clusters.addresses import VPN_ADDRESS, host_name, named_blocks
from golem_bridge.clusters.states import NodeKind
from golem_bridge.errors import CommandFailedError
from golem_bridge.relay import node_source

SSH_PORT = 22
RELAY_PORT = 4579
RAY_METRICS: Mapping[NodeKind, Mapping[int, str]] = {
    NodeKind.HEAD: {8090: "node", 44217: "autoscaler", 44227: "dashboard"},
    NodeKind.WORKER: {8090: "node"},
}
"""Where Ray serves metrics on a node, and of what."""

RELAYED_PORTS = (SSH_PORT, *RAY_METRICS[NodeKind.HEAD])
STATE_DIR = "/var/lib/ray-on-golem"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
RELAY_TOKEN = f"{STATE_DIR}/relay-token"
INTRODUCTION = re.compile(
    r"^host-key (?P<key>ssh-ed25519 [A-Za-z0-9+/]{68}) *\nrelay-token (?P<token>[A-Za-z0-9+/]{43}=)\n?\Z", re.MULTILINE
)
SSHD_OPTIONS = (
    f"HostKey={HOST_KEY}",
    "PermitRootLogin=prohibit-password",
    "PasswordAuthentication=no",
    "StrictModes=no",
    "UseDNS=no",
    "ClientAliveInterval=30",
    "ClientAliveCountMax=4",
    "MaxStartups=100:30:200",
    "MaxSessions=100",
)
"""The relay notices a dead link by itself within 15 s and hangs up; sshd's own questions wait behind a slow upload."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What a node is told about itself."""

    ip: str
    authorized_keys: Sequence[str]
    others: Sequence[str] = ()
    """Addresses of the cluster's other nodes, which are greeted."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a node makes for itself and tells us through its exe-unit: no secret travels in a command line."""

    host_public_key: str
    relay_token: str


def deploy_script(
    *, network_id: str, mask: str, address: str, ip: str, nodes: Mapping[str, str]
) -> list[Mapping[str, object]]:
    """Exe-script that deploys the image into the VPN and starts it. ``nodes`` maps ip to provider id."""
    network = {"id": network_id, "ip": address, "mask": mask, "nodeIp": ip, "nodes": dict(nodes)}
    return [{"deploy": {"net": [network]}}]


def start_script() -> list[Mapping[str, object]]:
    """Exe-script that starts the deployed image."""
    return [{"start": {"args": []}}]


def bootstrap_script(plan: Bootstrap) -> list[Mapping[str, object]]:
    """Exe-script that makes a started node ready for ssh and for the relay."""
    return run_script(shell_script(plan))


def run_script(shell: str) -> list[Mapping[str, object]]:
    """Exe-script that runs a shell script and hands back what it prints."""
    capture: Mapping[str, object] = {"stdout": {"stream": {}}, "stderr": {"stream": {}}}
    return [{"run": {"entry_point": "/bin/sh", "args": ["-c", shell], "capture": capture}}]


def shell_script(plan: Bootstrap) -> str:
    """The script itself; running it twice does no harm."""
    name = host_name(plan.ip)
    environment = f"ON_GOLEM_NETWORK=1 NODE_IP={plan.ip}"
    allowed = " ".join(f"--allow {port}" for port in RELAYED_PORTS)
    greeted = "".join(f" --greet {ip}" for ip in plan.others)
    sshd_options = " ".join(f"-o {option}" for option in SSHD_OPTIONS)
    lines = [
        "set -eu",
        "umask 077",
        f"mkdir -p {STATE_DIR} /root/.ssh /run/sshd",
        restored_home("/root_copy", "/root"),
        # what an image brings is known to everybody who has it
        "rm -f /etc/ssh/ssh_host_*",
        f"ssh-keygen -q -t ed25519 -N '' -C '' -f {HOST_KEY}",
        f"head -c 32 /dev/urandom | base64 > {RELAY_TOKEN}",
        _file("/root/.ssh/authorized_keys", "".join(f"{key}\n" for key in plan.authorized_keys)),
        _file(f"{STATE_DIR}/relay.py", node_source()),
        "chmod 755 /run/sshd",
        f'for pair in {environment}; do echo "$pair" >> /etc/environment; done',
        f"echo {name} > /etc/hostname",
        f"hostname {name}",
        _hosts(plan.ip),
        "chmod 644 /etc/environment /etc/hostname /etc/hosts",
        f"$(command -v sshd || echo /usr/sbin/sshd) {sshd_options} -o 'SetEnv={environment}'",
        f"python3 -S -E {STATE_DIR}/relay.py --listen {plan.ip}:{RELAY_PORT}"
        f" --token-file {RELAY_TOKEN} {allowed}{greeted} --daemon",
        f'printf \'host-key %s\\nrelay-token %s\\n\' "$(cat {HOST_KEY}.pub)" "$(cat {RELAY_TOKEN})"',
    ]
    return "\n".join(lines)


def read_introduction(output: str) -> Introduction:
    """What the script printed. Raises CommandFailedError if it is not what the script prints."""
    found = INTRODUCTION.search(output)
    if found is None:
        raise CommandFailedError(
            f"The node did not introduce itself — its script printed {output[-200:]!r} — is ssh-keygen in the image?"
        )
    return Introduction(found["key"], found["token"])


def restored_home(copy: str, home: str) -> str:
    """Shell for upstream's official images, whose home is an empty volume: what belongs there lies in ``copy``."""
    path = "export PATH=$PATH:/root/.local/bin"
    return f"if [ -d {copy} ]; then cp -a {copy}/. {home}/; echo '{path}' >> {home}/.bashrc; fi"


def _hosts(ip: str) -> str:
    """Shell that names this node, all before it and the next 1,792 at least, so they need not be told of each other.

    That takes 10 ms for a cluster's first nodes; all addresses there are would take dash 0.15 s, bash 0.6 s.
    """
    prefix = ".".join(VPN_ADDRESS.split(".")[:2])
    line = f'echo "{prefix}.$block.$i {host_name(prefix)}-$block-$i"'
    return (
        "{ echo '127.0.0.1 localhost'; block=0; "
        f"while [ $block -lt {named_blocks(ip)} ]; do i=0; "
        f"while [ $i -lt 256 ]; do {line}; i=$((i + 1)); done; block=$((block + 1)); done; }} > /etc/hosts"
    )


def _file(path: str, content: str) -> str:
    """Shell that writes a file; base64 needs no quoting."""
    encoded = base64.b64encode(content.encode()).decode()
    return f"printf %s {encoded} | base64 -d > {path}"
