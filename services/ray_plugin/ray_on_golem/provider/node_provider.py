"""``GolemNodeProvider``: what Ray's cluster launcher and autoscaler rent machines with.

On the user's host it opens clusters at the bridge and waits for the head; on the head it asks for workers through
the reverse tunnel. Works under both autoscalers: v2 wraps it in Ray's NodeProviderAdapter.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from ray.autoscaler._private.cli_logger import SilentClickException, cli_logger
from ray.autoscaler.node_provider import NodeProvider
from ray.autoscaler.tags import NODE_KIND_HEAD, TAG_RAY_NODE_KIND, TAG_RAY_USER_NODE_TYPE

from ray_on_golem import keys, relay_client
from ray_on_golem.bridge import Bridge
from ray_on_golem.config import WITHOUT_EFFECT, cluster_spec, keys_without_effect
from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.place import HEAD_PORT, find_place
from ray_on_golem.provider.command_runner import GolemCommandRunner
from ray_on_golem.provider.defaults import fill_defaults
from ray_on_golem.provider.pace import quicken_ray
from ray_on_golem.provider.records import ENDED, Records

WAIT = 20.0
"""Seconds one long poll for a node's progress lasts."""

log = logging.getLogger(__name__)


class GolemNodeProvider(NodeProvider):
    """Thread-safe: the only state is the snapshot cache."""

    def __init__(self, provider_config: dict[str, Any], cluster_name: str) -> None:
        super().__init__(provider_config, cluster_name)
        self._parameters = provider_config.get("parameters") or {}
        self._spec = provider_config.get("golem_cluster")
        self._place = find_place(self._parameters)
        self._bridge = Bridge(self._place)
        self._records = Records(self._bridge, cluster_name)
        quicken_ray()

    @staticmethod
    def fillout_available_node_types_resources(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """Everything a cluster file may leave out."""
        return fill_defaults(cluster_config)

    @staticmethod
    def bootstrap_config(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """Check the file, see to the ssh key, and note what the bridge is to be asked for.

        Ray caches the result in a file: nothing in it is secret or changes by itself.
        """
        config = fill_defaults(cluster_config)
        name, auth = config["cluster_name"], config["auth"]
        try:
            parameters = config["provider"].get("parameters") or {}
            place = find_place(parameters)
            key = Path(auth["ssh_private_key"]).expanduser() if "ssh_private_key" in auth else keys.default_key(name)
            config["provider"]["golem_cluster"] = cluster_spec(config, keys.public_key(key))
        except RayOnGolemError as error:
            _abort(error)
        auth["ssh_private_key"] = str(key)
        port = f"--port {place.port}" if "webserver_port" in parameters else ""
        auth.setdefault(
            "ssh_proxy_command",
            f"{sys.executable} -S -E {relay_client.__file__} {port} "
            f"--cluster {name} --token-file {place.token_file} %h",
        )
        for unused in keys_without_effect(config):
            cli_logger.print("Key {} has no effect here: {}", unused, WITHOUT_EFFECT[unused])
        return config

    def prepare_for_head_node(self, cluster_config: dict[str, Any]) -> dict[str, Any]:
        """The config the head gets. Also runs when ``ray up`` finds a live cluster: brings it to new limits."""
        self._open_cluster()
        provider = cluster_config["provider"]
        provider.pop("golem_cluster", None)
        provider["parameters"] = {"webserver_port": HEAD_PORT}
        return cluster_config

    # ------------------------------------------------------------------ nodes

    def non_terminated_nodes(self, tag_filters: dict[str, str]) -> list[str]:
        """One call to the bridge; what is asked of single nodes next is served from its answer."""
        try:
            nodes = self._records.refresh()
        except RayOnGolemError as error:
            if self._place.is_head:
                raise  # the autoscaler logs it and asks again
            _abort(error)
        return [node.node_id for node in nodes if node.is_live and node.matches(tag_filters)]

    def is_running(self, node_id: str) -> bool:
        """ssh answers, and a head reaches the bridge."""
        return self._records.get(node_id).is_running

    def is_terminated(self, node_id: str) -> bool:
        return not self._records.get(node_id).is_live

    def node_tags(self, node_id: str) -> dict[str, str]:
        return dict(self._records.get(node_id).tags)

    def internal_ip(self, node_id: str) -> str | None:  # type: ignore[override]  # Ray takes None for "not yet"
        """Address in the cluster's VPN; None until the node can be used."""
        node = self._records.get(node_id)
        return node.ip if node.is_running else None

    def external_ip(self, node_id: str) -> str | None:  # type: ignore[override]
        """Nodes have no other address; from the host, ssh reaches this one through the bridge."""
        return self.internal_ip(node_id)

    def create_node(self, node_config: dict[str, Any], tags: dict[str, str], count: int) -> dict[str, Any]:
        """Ask for nodes. The head is awaited here, on the host, where failing ends ``ray up`` cleanly."""
        is_head = tags[TAG_RAY_NODE_KIND] == NODE_KIND_HEAD
        if is_head:
            self._open_cluster()
        try:
            nodes = self._bridge.request_nodes(self.cluster_name, tags[TAG_RAY_USER_NODE_TYPE], count, tags)
            self._records.put(*nodes)
            if is_head:
                for node in nodes:
                    self._wait_until_running(node["node_id"], float("inf"))
        except RayOnGolemError as error:
            if not is_head or self._place.is_head:
                raise
            self._give_up(error)
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

    def set_node_tags(self, node_id: str, tags: dict[str, str]) -> None:
        self._records.put(self._bridge.tag(self.cluster_name, node_id, tags))

    def terminate_node(self, node_id: str) -> dict[str, Any]:
        return self.terminate_nodes([node_id])

    def terminate_nodes(self, node_ids: list[str]) -> dict[str, Any]:
        """Immediate for Ray; agreements and bills are ended behind."""
        nodes = self._bridge.terminate(self.cluster_name, node_ids)
        self._records.put(*nodes)
        return {node["node_id"]: node for node in nodes}

    def cleanup_cluster_resources(self) -> None:
        """Ray's last call of ``ray down``: give the budget's rest back once all is paid."""
        try:
            self._bridge.close_cluster(self.cluster_name)
        except RayOnGolemError as error:
            if error.code != "unknown_cluster":
                raise
        cli_logger.print("The providers' invoices are paid within a minute: ray-on-golem bill {}", self.cluster_name)

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
            log_prefix=log_prefix,
            node_id=node_id,
            provider=self,
            auth_config=auth_config,
            cluster_name=cluster_name,
            process_runner=process_runner,
            use_internal_ip=use_internal_ip,
        )

    def _wait_until_running(self, node_id: str, deadline: float) -> str:
        """Show the node's progress until it runs; its address. Raises RayOnGolemError when it ended or is late."""
        seen: str | None = None
        while True:
            node = self._bridge.wait_for_node(self.cluster_name, node_id, seconds=WAIT, message_seen=seen)
            if node["message"] != seen and not self._place.is_head:
                cli_logger.print("{}: {}", node_id, node["message"])
            seen = node["message"]
            if node["state"] == "running":
                self._records.put(node)
                return str(node["ip"])
            if node["state"] in ENDED:
                raise RayOnGolemError(seen, node["reason"] or "ended")
            if time.time() > deadline:
                raise RayOnGolemError(f"Node {node_id} is not running yet — {seen} — see: ray-on-golem status")

    def _open_cluster(self) -> None:
        """On the host: record the limits of the cluster file at the bridge."""
        if self._place.is_head or self._spec is None:
            return
        try:
            self._check_network()
            snapshot = self._bridge.open_cluster(self.cluster_name, self._spec)
        except RayOnGolemError as error:
            _abort(error)
        with cli_logger.group("Golem"):
            cli_logger.labeled_value("network", snapshot["network"])
            cli_logger.labeled_value("wallet", snapshot["wallet"])
            cli_logger.labeled_value("budget", f"{snapshot['budget']} GLM, {snapshot['committed']} GLM in use")
            for node_type, config in self._spec["node_types"].items():
                limits = config["budget_control"]
                shown = ", ".join(f"{key} {value}" for key, value in limits.items()) or "no price limits"
                cli_logger.labeled_value(node_type, f"{shown} (GLM)")

    def _check_network(self) -> None:
        wanted = self._parameters.get("payment_network")
        network = self._bridge.ready()["network"]
        if wanted is not None and wanted != network:
            raise RayOnGolemError(
                f"The cluster file is for network {wanted!r}, the appliance runs on {network!r} — change "
                "payment_network in the cluster file, or GOLEM_NETWORK in the appliance's .env and run: make up"
            )

    def _give_up(self, error: RayOnGolemError) -> NoReturn:
        """The head cannot be had: leave nothing open."""
        try:
            self._bridge.close_cluster(self.cluster_name)
        except RayOnGolemError as other:
            cli_logger.warning("The cluster could not be closed: {}", other.message)
        _abort(error)


def _abort(error: RayOnGolemError) -> NoReturn:
    """End the command with a sentence and a code, without a traceback."""
    cli_logger.abort("{}", error.message, exc=SilentClickException(error.message))
    raise AssertionError("abort does not return")
