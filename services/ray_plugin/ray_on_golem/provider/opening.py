"""From a cluster file to a head that runs; whatever fails or ends it on the way, what was taken is given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ray.autoscaler._private.cli_logger import cli_logger

from ray_on_golem import keys
from ray_on_golem.bridge import Bridge
from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.legacy import check_network
from ray_on_golem.provider import demands, orderly
from ray_on_golem.provider.progress import Progress, first_offers, show_plan
from ray_on_golem.provider.records import NodeRecord, Records
from ray_on_golem.provider.waiting import Waiter


class Opening:
    """Opens a cluster at the bridge and rents its head, on the host.

    ``spec`` is the body of ``PUT /v1/clusters/{name}``, but for the ssh key; None, as on a head: there is nothing to
    open. ``network`` is the one the cluster file names.
    """

    def __init__(
        self,
        bridge: Bridge,
        records: Records,
        waiter: Waiter,
        progress: Progress,
        *,
        cluster_name: str,
        spec: dict[str, Any] | None,
        key: str | None,
        network: str | None,
    ) -> None:
        self._bridge = bridge
        self._records = records
        self._waiter = waiter
        self._progress = progress
        self._name = cluster_name
        self._spec = spec
        self._key = key
        self._network = network
        self._is_open = False

    def open(self) -> None:
        """Once per command: record the limits of the cluster file at the bridge, and show them.

        Raises RayOnGolemError.
        """
        if self._spec is None or self._is_open:
            return
        remark = check_network(self._network, self._bridge.ready()["network"])
        if remark is not None:
            cli_logger.warning("{}", remark)
        spec = dict(self._spec)
        if self._key is not None:
            spec["ssh_public_key"] = keys.public_key(Path(self._key))
        try:
            snapshot = self._bridge.open_cluster(self._name, spec)
            self._is_open = True
            show_plan(snapshot, self._spec, first_offers(lambda: self._bridge.market(self._name)))
        except BaseException as error:
            # Ctrl-C or a signal, too; and an answer that got lost does not mean that no budget was set aside
            refused = isinstance(error, RayOnGolemError) and error.is_refusal and not self._is_open
            if not refused:
                self._close(only_if_empty=True)
            raise

    def rent_head(self, node_type: str, tags: dict[str, str]) -> dict[str, Any]:
        """The head, running. Raises RayOnGolemError; whatever goes wrong, nothing stays rented."""
        self._is_open = False  # as far as anybody knows: Ray's SDK keeps a provider for one cluster after the other
        self.open()
        others: list[NodeRecord] | None = None
        node: dict[str, Any] | None = None
        try:
            others = self._records.live()
            noted = {} if self._spec is None else demands.noted(self._spec)
            (node,) = self._bridge.request_nodes(self._name, node_type, 1, {**tags, **noted})
            self._progress.expect(node["node_id"])
            node = self._waiter.until_running(node["node_id"])
        except BaseException as error:
            # Ctrl-C or a signal, too; and an answer that got lost does not mean that no head was given
            if node is None and others is not None and isinstance(error, RayOnGolemError) and error.is_refusal:
                self._refused(error)
            elif node is not None or not others:
                self._close(only_if_empty=others is None)
            raise
        self._records.put(node)
        return node

    def remark_on_head(self) -> None:
        """Say if the head that lives was rented for something else than the file demands now."""
        if self._spec is not None and demands.is_outdated(self._spec, self._records.live()):
            cli_logger.warning(
                "The head goes on as it was rented. What the file demands of nodes has changed, which counts for those "
                "rented from now on: with another version of Ray they cannot join — ray down and ray up change all"
            )

    def _refused(self, error: RayOnGolemError) -> None:
        """No head was given. Close what was opened for it, unless another ``ray up`` is at work there."""
        live = self._records.live()
        if not live:
            self._close()
        elif error.code == "over_limit":
            raise RayOnGolemError(
                f"Another ray up of cluster {self._name} is at work — {live[0].node_id}: {live[0].message} — "
                "wait for it and run ray up again"
            ) from error

    def _close(self, *, only_if_empty: bool = False) -> None:
        """``only_if_empty``: nodes that live are another ``ray up``'s."""
        try:
            with orderly.undisturbed():
                if not (only_if_empty and self._records.live()):
                    self._bridge.close_cluster(self._name)
        except RayOnGolemError as error:
            if error.code == "unknown_cluster":
                return
            cli_logger.warning(
                "The cluster could not be closed: {} — afterwards: ray-on-golem stop {}", error.message, self._name
            )
