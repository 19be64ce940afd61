"""The 14 routes of upstream's ray-on-golem 0.13.0 web server, for its unmodified client, on our clusters.

The client is found in two places: on the host, when BRIDGE_ADMIT_UPSTREAM_CLIENT is set, and on the heads that run
from upstream's official images.
"""

from fastapi.routing import APIRoute

from golem_bridge.api.v013.routes import router

PATHS = frozenset(route.path for route in router.routes if isinstance(route, APIRoute))
"""All of them."""

__all__ = ["PATHS", "router"]
