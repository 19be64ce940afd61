"""Addresses within a cluster's VPN. They are never used twice, as Ray remembers them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

VPN = IPv4Network("192.168.0.0/16")
VPN_ADDRESS = str(VPN.network_address)
VPN_MASK = str(VPN.netmask)
REQUESTOR_IP = str(VPN[1])
"""yagna's own end; it always owns the first host address."""

FIRST_NODE = 3
"""Upstream's examples expect the head at .3 (its requestor owned .1 and .2)."""

CAPACITY = VPN.num_addresses - FIRST_NODE - 1

NAMED_BLOCKS = 8
"""Blocks of 256 addresses that a node's hosts file names from its own on: a name is made of its address alone."""


def host_name(ip: str) -> str:
    """The address with dashes, as upstream names nodes."""
    return ip.replace(".", "-")


def named_blocks(ip: str) -> int:
    """How many blocks of 256 addresses, counted from the first, the hosts file of the node at ``ip`` names."""
    own = (int(IPv4Address(ip)) - int(VPN.network_address)) // 256
    return min(own + NAMED_BLOCKS, VPN.num_addresses // 256)


def node_ip(index: int) -> str:
    """Address of the ``index``-th node a cluster ever had, counted from 0. Raises ValueError past the last."""
    if not 0 <= index < CAPACITY:
        raise ValueError(f"a cluster's VPN {VPN} has no address for node number {index + 1}")
    return str(VPN[FIRST_NODE + index])
