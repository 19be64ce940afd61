"""The relay: many byte streams to a node over one link through yagna's VPN, which reorders what it carries.

``node_source`` is the script that runs inside the node, ``detour_source`` the one that stands in for the VPN; the
rest is the bridge's end.
"""

from golem_bridge.relay.link import Link, LinkPool, socket_for
from golem_bridge.relay.source import detour_source, node_source
from golem_bridge.relay.stream import Stream

__all__ = ["Link", "LinkPool", "Stream", "detour_source", "node_source", "socket_for"]
