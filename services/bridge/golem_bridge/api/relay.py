"""ssh from the host: a websocket to the bridge, the node's relay link behind it. yagna's app-key stays inside."""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from golem_bridge.api.context import websocket_context
from golem_bridge.api.doors import Caller, error_response
from golem_bridge.clusters.bootstrap import SSH_PORT
from golem_bridge.errors import BridgeError, ForbiddenError, NodeUnreachableError
from golem_bridge.relay import Stream

router = APIRouter()

log = structlog.get_logger(__name__)


@router.websocket("/v1/clusters/{name}/nodes/{key}/ssh")
async def ssh(websocket: WebSocket, name: str, key: str) -> None:
    """Binary messages both ways; ends when either side ends. ``key`` is a node id or a VPN address."""
    context = websocket_context(websocket)
    caller: Caller = websocket.state.caller
    try:
        if caller.cluster_id is not None:
            raise ForbiddenError("ssh is relayed for the appliance's host only")
        node = context.service.node(name, key)
        if not node.host_public_key or not node.state.is_live:
            raise NodeUnreachableError(
                f"Node {node.node_id} is {node.state} — {node.message} — see: ray-on-golem status"
            )
        stream = await context.connect(node, SSH_PORT)
    except BridgeError as error:
        await websocket.send_denial_response(error_response(error))
        return
    await websocket.accept()
    try:
        await _pump(websocket, stream)
    finally:
        await stream.close()


async def _pump(websocket: WebSocket, stream: Stream) -> None:
    """Copy both ways until one side ends, then end the other."""
    tasks = [asyncio.create_task(_up(websocket, stream)), asyncio.create_task(_down(websocket, stream))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            log.info("ssh relay ended", reason=str(result) or type(result).__name__)


async def _up(websocket: WebSocket, stream: Stream) -> None:
    while True:
        try:
            data = await websocket.receive_bytes()
        except WebSocketDisconnect:
            return
        await stream.write(data)


async def _down(websocket: WebSocket, stream: Stream) -> None:
    while data := await stream.read():
        await websocket.send_bytes(data)
    await websocket.close()
