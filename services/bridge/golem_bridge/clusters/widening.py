"""Node types that a head is the first to name.

Upstream's client tells the bridge of a node type when the first node of it is asked for, and workers are asked for by
the head. The head is a stranger's machine: it cannot change what was recorded, and a new type may cost no more than
the head itself was allowed to.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic_core import PydanticSerializationError

from golem_bridge.clusters.spec import ClusterSpec
from golem_bridge.errors import InputError, LimitError
from golem_bridge.market.requirements import BudgetControl, NodeConfig

MAX_NODE_TYPES = 20

MAX_CONFIG_SIZE = 16_384
"""Characters of such a type, as it is recorded; all of the record is read with each request."""


def widened(spec: ClusterSpec, node_type: str, config: NodeConfig) -> ClusterSpec:
    """The limits with one node type more; the same if it is known. Raises LimitError, InputError."""
    if node_type in spec.node_types:
        return spec
    _check_size(node_type, config)
    if len(spec.node_types) >= MAX_NODE_TYPES:
        raise LimitError(
            f"Not starting a node of type {node_type[:64]!r} — the cluster has {MAX_NODE_TYPES} types already — "
            "use fewer in the cluster file"
        )
    cap = spec.node_types[spec.head_node_type].budget_control
    config = config.model_copy(update={"budget_control": tightened(config.budget_control, cap)})
    return spec.model_copy(update={"node_types": {**spec.node_types, node_type: config}})


def _check_size(node_type: str, config: NodeConfig) -> None:
    try:
        size = len(config.model_dump_json())
    except PydanticSerializationError as error:
        raise InputError(f"Bad node type {node_type[:64]!r} — a text in it is not Unicode — send another") from error
    if size > MAX_CONFIG_SIZE:
        raise InputError(
            f"Bad node type {node_type[:64]!r} — {size} characters as JSON, at most {MAX_CONFIG_SIZE} — "
            "shorten it in the cluster file"
        )


def tightened(wanted: BudgetControl | None, cap: BudgetControl | None) -> BudgetControl | None:
    """Of each price limit, the lower one."""
    if wanted is None or cap is None:
        return wanted or cap
    limits: dict[str, object] = {}
    for name in BudgetControl.model_fields:
        ours, theirs = getattr(cap, name), getattr(wanted, name)
        if isinstance(ours, Decimal) and isinstance(theirs, Decimal):
            limits[name] = min(ours, theirs)
        else:
            limits[name] = theirs if ours is None else ours
    return wanted.model_copy(update=limits)
