"""The hub of a central net: what ``ya-sb-router`` is to a public one.

Daemons register ``/net/<node id>``; agents register longer prefixes such as ``/net/<node id>/vpn/<network>``.
A call goes to the longest registered prefix; replies find their way back; broadcasts go to subscribers.
"""

from __future__ import annotations

import asyncio
import logging
import os

from golem_devnet.net.link import BusLink
from golem_devnet.net.wire import Message, blob, decode, frame, number, text

OK, NOT_FOUND, CONFLICT, BAD_REQUEST = 0, 404, 409, 400
RAW = "/raw"
NO_REPLY = b"\x28\x01"
"""Field 5 (no_reply) = 1, appended to a call that is passed on."""

log = logging.getLogger(__name__)


class Hub:
    """Endpoints, subscriptions and the calls that wait for a reply."""

    def __init__(self) -> None:
        self._endpoints: dict[str, _Peer] = {}
        self._peers: set[_Peer] = set()
        self._routes: dict[str, _Peer | None] = {}

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Listen; connections are served until the server is closed."""
        return await asyncio.get_running_loop().create_server(lambda: _Peer(self).link, host, port)

    @property
    def endpoints(self) -> list[str]:
        return sorted(self._endpoints)

    def arrived(self, peer: _Peer) -> None:
        self._peers.add(peer)

    def left(self, peer: _Peer) -> None:
        """What it had registered is free."""
        self._peers.discard(peer)
        self._endpoints = {name: owner for name, owner in self._endpoints.items() if owner is not peer}
        self._routes.clear()

    def register(self, name: str, peer: _Peer) -> int:
        """Answer code: 409 if somebody else has the name."""
        if self._endpoints.setdefault(name, peer) is not peer:
            return CONFLICT
        self._routes.clear()
        return OK

    def unregister(self, name: str, peer: _Peer) -> int:
        """Answer code: 404 if the peer does not have the name."""
        if self._endpoints.get(name) is not peer:
            return NOT_FOUND
        del self._endpoints[name]
        self._routes.clear()
        return OK

    def route(self, address: str) -> _Peer | None:
        """Who owns the longest prefix of an address."""
        if address not in self._routes:
            if len(self._routes) > 10_000:
                self._routes.clear()
            self._routes[address] = self._longest_prefix(address)
        return self._routes[address]

    def is_vpn_endpoint(self, address: str) -> bool:
        """``…/raw`` right below a registered name: frames for a node, not for a daemon's own VPN actor."""
        return address.removesuffix(RAW) in self._endpoints

    def broadcast(self, topic: str, body: bytes) -> None:
        for peer in self._peers:
            if topic in peer.topics:
                peer.link.send_frame(frame(Message.BROADCAST, body))

    def _longest_prefix(self, address: str) -> _Peer | None:
        while address:
            if address in self._endpoints:
                return self._endpoints[address]
            address = address.rpartition("/")[0]
        return None


class _Peer:
    """One connection to the hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.link = BusLink(self._on_messages, self._on_lost)
        self.topics: set[str] = set()
        self.awaiting: dict[bytes, _Peer] = {}
        """Who waits for the reply to a call that was passed to this peer."""
        self.link.send(Message.HELLO, f1="devnet-hub", f2="0.7.3", f3=os.urandom(16))
        hub.arrived(self)

    def _on_messages(self, messages: list[tuple[int, bytes]]) -> None:
        for kind, body in messages:
            self._handle(kind, body)

    def _on_lost(self, reason: str) -> None:
        log.info("a peer left: %s", reason)
        self.hub.left(self)

    def _handle(self, kind: int, body: bytes) -> None:
        match kind:
            case Message.CALL:
                self._call(body)
            case Message.REPLY:
                self._reply(body)
            case Message.REGISTER:
                self.link.send(Message.REGISTERED, f1=self.hub.register(text(decode(body), 1), self))
            case Message.UNREGISTER:
                self.link.send(Message.UNREGISTERED, f1=self.hub.unregister(text(decode(body), 1), self))
            case Message.SUBSCRIBE:
                self.topics.add(text(decode(body), 1))
                self.link.send(Message.SUBSCRIBED)
            case Message.UNSUBSCRIBE:
                self.topics.discard(text(decode(body), 1))
                self.link.send(Message.UNSUBSCRIBED)
            case Message.BROADCAST:
                self.hub.broadcast(text(decode(body), 3), body)
                self.link.send(Message.BROADCASTED)
            case Message.PING:
                self.link.send(Message.PONG)

    def _call(self, body: bytes) -> None:
        call = decode(body)
        address, request, no_reply = text(call, 2), blob(call, 3), number(call, 5)
        peer = self.hub.route(address)
        if peer is None:
            if not no_reply:
                self.link.send(Message.REPLY, f1=request, f2=BAD_REQUEST, f4="endpoint address not found")
            return
        if not no_reply:
            if address.endswith(RAW) and self.hub.is_vpn_endpoint(address):
                # a frame is fire and forget, but yagna sends the next one only after a reply: answer here
                self.link.send(Message.REPLY, f1=request)
                body += NO_REPLY
            else:
                peer.awaiting[request] = self
        peer.link.send_frame(frame(Message.CALL, body))

    def _reply(self, body: bytes) -> None:
        reply = decode(body)
        request, is_partial = blob(reply, 1), number(reply, 3)
        caller = self.awaiting.get(request) if is_partial else self.awaiting.pop(request, None)
        if caller is not None:
            caller.link.send_frame(frame(Message.REPLY, body))


async def main(host: str, port: int) -> None:
    """Serve for ever."""
    server = await Hub().serve(host, port)
    log.info("hub listens on %s:%d", host, port)
    async with server:
        await server.serve_forever()
