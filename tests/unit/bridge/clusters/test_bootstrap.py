"""What is sent to a fresh node: the shell takes it, and nothing in it can break out."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.clusters.addresses import CAPACITY, VPN_MASK, node_ip
from golem_bridge.clusters.bootstrap import Bootstrap, bootstrap_script, deploy_script, shell_script
from golem_bridge.clusters.keys import new_host_key
from golem_bridge.relay import node_source
from tests.unit.bridge.samples import PUBLIC_KEY

PLAN = Bootstrap(
    ip="192.168.0.7",
    authorized_keys=(PUBLIC_KEY, "ssh-ed25519 BBBB bridge"),
    host_private_key=new_host_key().private,
    relay_token="r" * 43,
)


def files(script: str) -> dict[str, str]:
    """Content by path, as the shell would write it."""
    written = re.findall(r"^printf %s (\S+) \| base64 -d > (\S+)$", script, re.MULTILINE)
    return {path: base64.b64decode(encoded).decode() for encoded, path in written}


def test_the_shell_understands_it() -> None:
    subprocess.run(["sh", "-n", "-c", shell_script(PLAN)], check=True, timeout=10)


def test_each_file_holds_what_it_should() -> None:
    written = files(shell_script(PLAN))
    assert written["/root/.ssh/authorized_keys"] == f"{PUBLIC_KEY}\nssh-ed25519 BBBB bridge\n"
    assert written["/etc/ssh/ssh_host_ed25519_key"] == PLAN.host_private_key
    assert written["/var/lib/ray-on-golem/relay-token"] == PLAN.relay_token
    assert written["/var/lib/ray-on-golem/relay.py"] == node_source()


def test_secrets_are_never_in_the_clear() -> None:
    script = shell_script(PLAN)
    assert PLAN.relay_token not in script
    assert "PRIVATE KEY" not in script
    assert script.index("umask 077") < script.index("base64 -d")


def test_the_other_nodes_are_greeted() -> None:
    last_line = shell_script(replace(PLAN, others=("192.168.0.3", "192.168.0.5"))).splitlines()[-1]
    assert last_line.endswith(" --greet 192.168.0.3 --greet 192.168.0.5 --daemon")


@given(st.text(min_size=1, max_size=200))
def test_no_key_can_add_a_command(comment: str) -> None:
    script = shell_script(Bootstrap("192.168.0.7", (f"ssh-ed25519 AAAA {comment}",), "key", "token"))
    usual = shell_script(Bootstrap("192.168.0.7", ("",), "key", "token"))
    assert len(script.splitlines()) == len(usual.splitlines())
    subprocess_free = re.sub(r"printf %s \S* \|", "", script)
    assert subprocess_free == re.sub(r"printf %s \S* \|", "", usual)


def test_the_scripts_are_what_an_exe_unit_takes() -> None:
    (run,) = json.loads(json.dumps(bootstrap_script(PLAN)))
    assert run["run"]["entry_point"] == "/bin/sh"
    assert run["run"]["args"][0] == "-c"
    nodes = {"192.168.0.1": "0x1", "192.168.0.7": "0x2"}
    (deploy,) = json.loads(
        json.dumps(deploy_script(network_id="n", mask=VPN_MASK, address="192.168.0.0", ip="192.168.0.7", nodes=nodes))
    )
    assert deploy["deploy"]["net"] == [
        {"id": "n", "ip": "192.168.0.0", "mask": "255.255.0.0", "nodeIp": "192.168.0.7", "nodes": nodes}
    ]


@given(st.integers(min_value=0, max_value=CAPACITY - 1), st.integers(min_value=0, max_value=CAPACITY - 1))
def test_addresses_differ_and_spare_the_ends(one: int, other: int) -> None:
    assert (node_ip(one) == node_ip(other)) == (one == other)
    assert node_ip(one) not in {"192.168.0.0", "192.168.0.1", "192.168.255.255"}


def test_a_vpn_is_full_some_day() -> None:
    assert node_ip(CAPACITY - 1) == "192.168.255.254"
    for index in (-1, CAPACITY):
        try:
            node_ip(index)
        except ValueError as error:
            assert "no address" in str(error)
        else:
            raise AssertionError(f"node {index} got an address")
