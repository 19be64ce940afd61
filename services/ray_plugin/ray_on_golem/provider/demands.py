"""What a head was rented for, noted in a tag of it.

Ray starts a head anew when its own ``node_config`` has changed; of ``provider.parameters.node_config``, where most
files name the image, it knows nothing. A head of the old image and workers of a new one may have two versions of Ray.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ray.autoscaler.tags import NODE_KIND_HEAD, TAG_RAY_NODE_KIND

from ray_on_golem.provider.records import NodeRecord

TAG = "ray-on-golem-demand"


def noted(spec: Mapping[str, Any]) -> dict[str, str]:
    """The tag for a head that is rented by this spec."""
    demand = spec["node_types"][spec["head_node_type"]]["demand"]
    return {TAG: hashlib.sha256(json.dumps(demand, sort_keys=True).encode()).hexdigest()[:16]}


def is_outdated(spec: Mapping[str, Any], nodes: Iterable[NodeRecord]) -> bool:
    """Whether the head among the nodes was rented for something else; one that nothing is noted of was not."""
    now = noted(spec)[TAG]
    heads = (node for node in nodes if node.tags.get(TAG_RAY_NODE_KIND) == NODE_KIND_HEAD)
    return any(head.tags.get(TAG, now) != now for head in heads)
