"""How the host's ssh reaches a node: through the bridge, with a small program of ours as its ProxyCommand."""

from __future__ import annotations

import shlex
import sys

from ray_on_golem import relay_client
from ray_on_golem.place import Place


def proxy_command(place: Place, cluster_name: str) -> str | None:
    """None on the head, which is in the cluster's VPN. ``%h`` is ssh's: the node's address."""
    if place.token_file is None:
        return None
    parts = [
        *(sys.executable, "-S", "-E", relay_client.__file__),
        *("--port", str(place.port), "--cluster", cluster_name, "--token-file", str(place.token_file)),
    ]
    return " ".join(shlex.quote(part).replace("%", "%%") for part in parts) + " %h"
