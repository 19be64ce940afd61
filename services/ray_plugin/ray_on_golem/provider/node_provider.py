"""``GolemNodeProvider``: what Ray's cluster launcher and autoscaler rent machines with.

On the user's host it opens clusters at the bridge and waits for the head; on the head it asks for workers through
the reverse tunnel. Works under both autoscalers: v2 wraps it in Ray's NodeProviderAdapter.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ray.autoscaler._private.cli_logger import cli_logger
from ray.autoscaler.node_provider import NodeProvider
from ray.autoscaler.tags import (
    NODE_KIND_HEAD,
    STATUS_UP_TO_DATE,
    STATUS_UPDATE_FAILED,
    TAG_RAY_NODE_KIND,
    TAG_RAY_NODE_STATUS,
    TAG_RAY_USER_NODE_TYPE,
)

from ray_on_golem import keys
from ray_on_golem.bridge import Bridge
from ray_on_golem.config import (
    WITHOUT_EFFECT,
    bridge_node_config,
    check_docker,
    check_user,
    cluster_spec,
    keys_without_effect,
)
from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.legacy import modern_parameters
from ray_on_golem.place import find_place
from ray_on_golem.provider import orderly, turn
from ray_on_golem.provider.command_runner import GolemCommandRunner
from ray_on_golem.provider.defaults import fill_defaults
from ray_on_golem.provider.edition import edition
from ray_on_golem.provider.for_head import head_config
from ray_on_golem.provider.mounts import check_readable
from ray_on_golem.provider.opening import Opening
from ray_on_golem.provider.pace import quicken_ray
from ray_on_golem.provider.plainly import abort, needs_head, plainly
from ray_on_golem.provider.progress import Progress, left_over
from ray_on_golem.provider.records import FRESH, FRESH_ON_HEAD, NodeRecord, Records
from ray_on_golem.provider.refusals import Refusals
from ray_on_golem.provider.relay import proxy_command
from ray_on_golem.provider.waiting import Waiter

SPEC, KEY, MOUNTS, EDITION = "golem_cluster", "golem_ssh_key", "golem_file_mounts", "golem_plugin"
"""What :meth:`GolemNodeProvider.bootstrap_config` notes in the provider section for the provider on the host."""

SET_UP_ENDED = frozenset({STATUS_UP_TO_DATE, STATUS_UPDATE_FAILED})
"""Ray's last word on a head in ``ray up``."""


class GolemNodeProvider(NodeProvider):
    """Thread-safe: the only state is the snapshot cache and what was told already."""

    def __init__(self, provider_config: dict[str, Any], cluster_name: str) -> None:
        super().__init__(provider_config, cluster_name)
        self._parameters = modern_parameters(provider_config.get("parameters") or {})
        self._spec = provider_config.get(SPEC)
        self._place = find_place(self._parameters)
        self.is_on_head = self._place.is_head
        self._bridge = Bridge(self._place)
        self._records = Records(self._bridge, cluster_name, fresh=FRESH_ON_HEAD if self.is_on_head else FRESH)
        self._progress = Progress(time.monotonic)
        self._waiter = Waiter(self._bridge, cluster_name, self._tell)
        self._refusals = Refusals()
        self._opening = Opening(
            self._bridge,
            self._records,
            self._waiter,
            self._progress,
            cluster_name=cluster_name,
            spec=None if self.is_on_head else self._spec,
            key=provider_config.get(KEY),
            network=self._parameters.get("payment_network"),
        )
        self._has_ended_nodes = False
        quicken_ray()
        if provider_config.get(KEY) == str(keys.default_key(cluster_name)):
            self._see_to_default_key()
        cached = provider_config.get("_config_cache_path")
        if cached is not None and not self.is_on_head and provider_config.get(EDITION) != edition():
            self._forget_config(Path(cached))

    @staticmethod
    def fillout_available_node_types_resources(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """Everything a cluster file may leave out."""
        return fill_defaults(cluster_config)

    @staticmethod
    def bootstrap_config(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """Check the file, see to the ssh key, and note what the bridge is to be asked for.

        Ray caches the result in a file and compares a live head with it: nothing in it is secret, or depends on
        where Python and the appliance are.
        """
        try:
            spec = cluster_spec(cluster_config)
            config = fill_defaults(cluster_config)
            auth = config["auth"]
            check_user(auth)
            check_docker(config.get("docker") or {})
            if "ssh_private_key" in auth:
                key = Path(auth["ssh_private_key"]).expanduser().absolute()
                keys.public_key(key)
            else:
                key = keys.make_default_key(config["cluster_name"])
        except RayOnGolemError as error:
            abort(error)
        auth["ssh_private_key"] = str(key)
        mounts = sorted(config["file_mounts"].values())
        config["provider"].update({SPEC: spec, KEY: str(key), MOUNTS: mounts, EDITION: edition()})
        for unused in keys_without_effect(config):
            cli_logger.print("Key {} has no effect here: {}", unused, WITHOUT_EFFECT[unused])
        return config

    @plainly
    def prepare_for_head_node(self, cluster_config: dict[str, Any]) -> dict[str, Any]:
        """The config the head gets. Also runs when ``ray up`` finds a live cluster: brings it to new limits."""
        with turn.step(self.cluster_name), orderly.end():
            self._opening.open()
        self._opening.remark_on_head()
        for ours in (SPEC, KEY, MOUNTS, EDITION):
            cluster_config["provider"].pop(ours, None)
        return head_config(cluster_config, self._spec)

    # ------------------------------------------------------------------ nodes

    @plainly
    def non_terminated_nodes(self, tag_filters: dict[str, str]) -> list[str]:
        """One call to the bridge; what is asked of single nodes next is served from its answer."""
        live = self._records.live()
        if not live and not self.is_on_head and needs_head():
            raise RayOnGolemError(
                f"Cluster {self.cluster_name} is not up — no node of it is rented — "
                "start it: ray up, with its file; what is up: ray-on-golem status"
            )
        return [node.node_id for node in live if node.matches(tag_filters)]

    @plainly
    def is_running(self, node_id: str) -> bool:
        """Ray's second autoscaler begins with a node in the first tick that finds this true, so it is true early:
        :meth:`get_command_runner` gives one that waits until ssh answers.
        """
        return self._records.get(node_id).is_coming

    @plainly
    def is_terminated(self, node_id: str) -> bool:
        return not self._records.get(node_id).is_live

    @plainly
    def node_tags(self, node_id: str) -> dict[str, str]:
        return dict(self._records.get(node_id).tags)

    @plainly
    def internal_ip(self, node_id: str) -> str | None:  # type: ignore[override]  # Ray takes None for "not yet"
        """Address in the cluster's VPN; None until the node can be used."""
        node = self._records.get(node_id)
        return node.ip if node.is_running else None

    @plainly
    def external_ip(self, node_id: str) -> str | None:  # type: ignore[override]
        """Nodes have no other address; from the host, ssh reaches this one through the bridge."""
        return self.internal_ip(node_id)

    @plainly
    def create_node(self, node_config: dict[str, Any], tags: dict[str, str], count: int) -> dict[str, Any]:
        """Ask for nodes. The head is awaited here, on the host, where failing ends ``ray up`` cleanly."""
        node_type = tags[TAG_RAY_USER_NODE_TYPE]
        if tags[TAG_RAY_NODE_KIND] == NODE_KIND_HEAD:
            with turn.step(self.cluster_name), orderly.end():
                check_readable(self.provider_config.get(MOUNTS, ()))
                node = self._opening.rent_head(node_type, tags)
            return {node["node_id"]: node}
        self._refusals.check(node_type)
        # upstream's client tells the bridge of the head's type only
        named = bridge_node_config(node_type, node_config) if node_config.get("demand") else None
        try:
            nodes = self._bridge.request_nodes(self.cluster_name, node_type, count, tags, named)
        except RayOnGolemError as error:
            self._refusals.remember(node_type, error)
            raise
        self._records.put(*nodes)
        return {node["node_id"]: node for node in nodes}

    def create_node_with_resources_and_labels(
        self,
        node_config: dict[str, Any],
        tags: dict[str, str],
        count: int,
        resources: dict[str, float],
        labels: dict[str, str],
    ) -> dict[str, Any]:
        return self.create_node(node_config, tags, count)

    @plainly
    def set_node_tags(self, node_id: str, tags: dict[str, str]) -> None:
        node = self._bridge.tag(self.cluster_name, node_id, tags)
        self._records.put(node)
        status = tags.get(TAG_RAY_NODE_STATUS)
        if status in SET_UP_ENDED:
            turn.give_back(self.cluster_name)
        if status == STATUS_UPDATE_FAILED and not self.is_on_head and NodeRecord.parse(node).is_live:
            cli_logger.warning("{}", left_over(node))

    def terminate_node(self, node_id: str) -> dict[str, Any]:
        return self.terminate_nodes([node_id])

    @plainly
    def terminate_nodes(self, node_ids: list[str]) -> dict[str, Any]:
        """Immediate for Ray; agreements and bills are ended behind."""
        self._has_ended_nodes = True
        nodes = self._bridge.terminate(self.cluster_name, node_ids)
        self._records.put(*nodes)
        return {node["node_id"]: node for node in nodes}

    def cleanup_cluster_resources(self) -> None:
        """Ray's last call of ``ray down``: give the budget's rest back once all is paid."""
        try:
            state = self._bridge.close_cluster(self.cluster_name)["state"]
        except RayOnGolemError as error:
            if error.code != "unknown_cluster":
                cli_logger.warning("{} — afterwards: ray-on-golem stop {}", error.message, self.cluster_name)
            return
        if state == "closed" and not self._has_ended_nodes:
            cli_logger.print("Cluster {} was not up. What it cost: ray-on-golem bill {}", *[self.cluster_name] * 2)
        else:
            cli_logger.print(
                "The providers' invoices are paid within a minute: ray-on-golem bill {}", self.cluster_name
            )

    # -------------------------------------------------------------------- ssh

    def get_command_runner(
        self,
        log_prefix: str,
        node_id: str,
        auth_config: dict[str, Any],
        cluster_name: str,
        process_runner: Any,
        use_internal_ip: bool,
        docker_config: dict[str, Any] | None = None,
    ) -> Any:
        """Containers within nodes are not offered, so ``docker_config`` is not looked at."""
        return GolemCommandRunner(
            wait_until_running=self._wait_until_running,
            proxy_command=proxy_command(self._place, cluster_name),
            log_prefix=log_prefix,
            node_id=node_id,
            provider=self,
            auth_config=auth_config,
            cluster_name=cluster_name,
            process_runner=process_runner,
            use_internal_ip=use_internal_ip,
        )

    @plainly
    def _wait_until_running(self, node_id: str, deadline: float) -> NodeRecord:
        """The node once it runs; ``deadline`` is unix seconds. Raises RayOnGolemError."""
        node = self._waiter.until_running(node_id, seconds=deadline - time.time())
        self._records.put(node)
        return NodeRecord.parse(node)

    def _tell(self, node: dict[str, Any]) -> None:
        if not self.is_on_head:
            self._progress.tell(node)

    def _forget_config(self, cached: Path) -> None:
        """Made by another plug-in: good for this command, the next one works it out anew."""
        try:
            cached.unlink(missing_ok=True)
        except OSError as error:
            cli_logger.warning(
                "{} was made by another version of the plug-in, and cannot be removed — {} — remove it",
                cached,
                error.strerror,
            )

    def _see_to_default_key(self) -> None:
        """Ray's cached config names it; whoever tidied it away gets a new one."""
        try:
            keys.make_default_key(self.cluster_name)
        except RayOnGolemError as error:
            abort(error)
