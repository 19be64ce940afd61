"""The config a head gets. It is read there by our plug-in, or, in images of Ray on Golem 0.13, by that release's own.

That one wants every parameter it knows. What they say does not matter: the bridge goes by what `ray up` has recorded.
Nothing in it is secret, and price limits are left out: a head is a stranger's machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray_on_golem.config import USUAL_SUBNET
from ray_on_golem.place import HEAD_PORT

KEY_ON_HEAD = "~/ray_bootstrap_key.pem"
"""Ray puts it there."""


def head_config(config: dict[str, Any], spec: Mapping[str, Any] | None) -> dict[str, Any]:
    """``config`` with the provider's section and node types made for the head; ``spec`` is what the bridge was told."""
    parameters = {"webserver_port": HEAD_PORT}
    if spec is not None:
        parameters.update(_for_upstream(spec))
        for name, node_type in config.get("available_node_types", {}).items():
            node_type["node_config"] = _node_config(spec["node_types"][name])
    config["provider"]["parameters"] = parameters
    return config


def _for_upstream(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "webserver_datadir": None,
        "ray_gcs_expose_port": None,
        "enable_registry_stats": False,
        "payment_network": "of the appliance",
        "payment_driver": "erc20",
        "total_budget": float(spec["total_budget"]),
        "node_config": {"subnet_tag": USUAL_SUBNET},
        "ssh_private_key": KEY_ON_HEAD,
        "ssh_user": "root",
    }


def _node_config(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A changed one makes Ray's first autoscaler replace its nodes, so all is there that decides what a node is."""
    return {"subnet_tag": USUAL_SUBNET, **{key: value for key, value in recorded.items() if key != "budget_control"}}
