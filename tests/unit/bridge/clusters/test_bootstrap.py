"""What is sent to a fresh node: the shell takes it, and nothing in it can break out."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.clusters.addresses import CAPACITY, VPN_MASK, host_name, node_ip
from golem_bridge.clusters.bootstrap import (
    HOST_KEY,
    RELAY_TOKEN,
    Bootstrap,
    bootstrap_script,
    deploy_script,
    read_introduction,
    shell_script,
)
from golem_bridge.errors import CommandFailedError
from golem_bridge.relay import node_source
from tests.fakes.golem.provider import INTRODUCTION
from tests.fakes.golem.provider import RELAY_TOKEN as RELAY_TOKEN_OF_FAKES
from tests.unit.bridge.samples import PUBLIC_KEY

PLAN = Bootstrap(
    ip="192.168.0.7",
    authorized_keys=(PUBLIC_KEY, "ssh-ed25519 BBBB bridge"),
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
    assert written["/var/lib/ray-on-golem/relay.py"] == node_source()


def test_a_node_makes_its_own_secrets_and_tells_what_we_need(tmp_path: Path) -> None:
    """That part of the script is run, on files of this test: the key and the token, then what is said of them."""
    lines = shell_script(PLAN).splitlines()
    assert lines.index("umask 077") < min(place for place, line in enumerate(lines) if " > " in line)
    about = [line for line in lines if line.startswith(("ssh-keygen", "head -c 32", "printf 'host-key"))]
    script = "\n".join(about).replace(HOST_KEY, str(tmp_path / "key")).replace(RELAY_TOKEN, str(tmp_path / "token"))
    done = subprocess.run(["sh", "-euc", script], check=True, timeout=10, capture_output=True, text=True)
    said = read_introduction(done.stdout)
    key = asyncssh.read_private_key(tmp_path / "key")
    assert asyncssh.import_public_key(said.host_public_key).public_data == key.public_data
    assert said.relay_token == (tmp_path / "token").read_text().strip()
    assert len(base64.b64decode(said.relay_token)) == 32
    assert lines.index(about[-1]) == len(lines) - 1, "said once all else is done"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "sh: 1: ssh-keygen: not found\n",
        INTRODUCTION.replace("ssh-ed25519", "ssh-rsa"),
        INTRODUCTION + "and more\n",
        INTRODUCTION.partition("relay-token")[0],
        INTRODUCTION.replace("relay-token A", "relay-token $"),
    ],
)
def test_a_node_that_says_anything_else_is_not_trusted(said: str) -> None:
    with pytest.raises(CommandFailedError, match="The node did not introduce itself"):
        read_introduction(said)


def test_what_login_shells_print_before_does_no_harm() -> None:
    assert read_introduction(f"Welcome!\n{INTRODUCTION}").relay_token == RELAY_TOKEN_OF_FAKES


def test_the_other_nodes_are_greeted() -> None:
    lines = shell_script(replace(PLAN, others=("192.168.0.3", "192.168.0.5"))).splitlines()
    (relay,) = [line for line in lines if "relay.py --listen" in line]
    assert relay.endswith(" --greet 192.168.0.3 --greet 192.168.0.5 --daemon")


@pytest.mark.parametrize(
    ("ip", "last_named"),
    [
        ("192.168.0.3", "192.168.7.255"),
        ("192.168.0.255", "192.168.7.255"),
        ("192.168.1.0", "192.168.8.255"),
        ("192.168.249.9", "192.168.255.255"),
        ("192.168.255.254", "192.168.255.255"),
    ],
)
def test_a_node_names_itself_all_before_it_and_many_after_it(ip: str, last_named: str, tmp_path: Path) -> None:
    script = shell_script(replace(PLAN, ip=ip)).splitlines()
    (hosts,) = [line for line in script if line.endswith("> /etc/hosts")]
    subprocess.run(["sh", "-euc", hosts.replace("/etc/hosts", str(tmp_path / "hosts"))], check=True, timeout=10)
    first, *named = (tmp_path / "hosts").read_text().splitlines()
    assert first == "127.0.0.1 localhost"
    every = range(int(IPv4Address("192.168.0.0")), int(IPv4Address(last_named)) + 1)
    assert named == [f"{address} {host_name(str(address))}" for address in map(IPv4Address, every)]
    assert f"{ip} {host_name(ip)}" in named


@given(st.text(min_size=1, max_size=200))
def test_no_key_can_add_a_command(comment: str) -> None:
    script = shell_script(Bootstrap("192.168.0.7", (f"ssh-ed25519 AAAA {comment}",)))
    usual = shell_script(Bootstrap("192.168.0.7", ("",)))
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
