"""From what the client asks for to what a cluster of ours is: limits, node types, keys."""

from __future__ import annotations

from pathlib import PurePosixPath

import structlog

from golem_bridge.api.v013 import wire
from golem_bridge.clusters.keys import ClientKeys
from golem_bridge.clusters.model import Cluster
from golem_bridge.clusters.spec import ClusterSpec
from golem_bridge.errors import InputError
from golem_bridge.market.requirements import BudgetControl, DemandSpec, Model, NodeConfig
from golem_bridge.settings import GolemNetwork

KIND_TAG = "ray-node-type"
TYPE_TAG = "ray-user-node-type"
HEAD = "head"
DEFAULT_SUBNET = "public"
"""What the client sends for files that name no subnet: here, the network's own."""
DEFAULT_HEADS = "ray-on-golem-heads"
"""The priority subnet the client asks for by itself: nobody meant it, and waiting for it would delay every head."""
REAL_MONEY = frozenset({"polygon", "mainnet"})

log = structlog.get_logger(__name__)


def node_type(tags: wire.Tags) -> str:
    """Raises InputError if the client did not say."""
    try:
        return tags[TYPE_TAG]
    except KeyError:
        raise InputError(f"The request has no tag {TYPE_TAG} — it must name a node type — run: ray up") from None


def spec_from_host(
    body: wire.RequestNodes, live: Cluster | None, *, network: GolemNetwork, keys: ClientKeys, max_workers: int
) -> ClusterSpec:
    """The limits the user's request records: a new cluster's, or a live one's with this node type as it is now.

    Raises InputError for what cannot be served, pydantic's ValidationError for values out of range.
    """
    check_network(body.provider_parameters.payment_network, body.provider_parameters.payment_driver, network)
    if live is None and body.tags.get(KIND_TAG) != HEAD:
        raise InputError(f"Cluster {body.cluster_name!r} has no head — a worker was asked for first — run: ray up")
    kind = node_type(body.tags)
    known = live.spec.node_types if live else {}
    return ClusterSpec(
        total_budget=body.provider_parameters.total_budget,
        max_workers=live.spec.max_workers if live else max_workers,
        head_node_type=live.spec.head_node_type if live else kind,
        node_types={**known, kind: node_config(body.node_config)},
        ssh_public_key=_public_key(body, keys),
        head_port=body.provider_parameters.webserver_port,
    )


def node_config(wanted: wire.NodeConfig) -> NodeConfig:
    """A node type; keys that have no effect here are left out."""
    return NodeConfig.model_validate(
        {
            "subnet_tag": None if wanted.subnet_tag == DEFAULT_SUBNET else wanted.subnet_tag,
            "priority_subnet_tag": None if wanted.priority_subnet_tag == DEFAULT_HEADS else wanted.priority_subnet_tag,
            "demand": _known(DemandSpec, wanted.demand),
            "budget_control": _known(BudgetControl, wanted.budget_control) if wanted.budget_control else None,
        }
    )


def check_network(asked: str, driver: str, network: GolemNetwork) -> None:
    """Old files name test networks that are gone: any test network is this one. Real money must be meant."""
    real_money = network is GolemNetwork.POLYGON
    if driver != "erc20":
        raise InputError(f"Unknown payment_driver {driver!r} — only erc20 is served — correct the cluster file")
    if (asked in REAL_MONEY) != real_money or (real_money and asked != network.value):
        raise InputError(
            f"The cluster file is for network {asked!r}, the appliance runs on {network.value!r} — change "
            "payment_network in the cluster file, or GOLEM_NETWORK in the appliance's .env and run: make up"
        )


def _known(ours: type[Model], theirs: wire.Settings) -> dict[str, object]:
    """What was set, as far as it has an effect here; the names are the same."""
    given = theirs.model_dump(exclude_none=True)
    unused = sorted(name for name, value in given.items() if name not in ours.model_fields and value)
    if unused:
        log.warning("keys without effect here", keys=unused)
    return {name: value for name, value in given.items() if name in ours.model_fields}


def _public_key(body: wire.RequestNodes, keys: ClientKeys) -> str:
    path, name = PurePosixPath(body.provider_parameters.ssh_private_key), body.cluster_name
    if body.provider_parameters.ssh_user != "root":
        raise InputError(
            f"Unknown ssh_user {body.provider_parameters.ssh_user[:64]!r} — nodes have only root — "
            "correct auth.ssh_user in the cluster file"
        )
    if path.name != keys.file_name(name):
        raise InputError(
            f"Cannot use the ssh key {str(path)[:200]!r} — the bridge cannot read files of the host — "
            "leave auth.ssh_private_key out of the cluster file"
        )
    public = keys.public_key(name)
    if public is None:
        raise InputError(
            f"Unknown ssh key {path} — this bridge has not made it — "
            f"remove it and Ray's cache: rm {path} /tmp/ray-config-*, then run ray up again"
        )
    return public
