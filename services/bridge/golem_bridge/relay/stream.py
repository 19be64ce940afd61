"""One byte stream of a link. Part of what is sent to nodes: standard library only, Python 3.9 or newer."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from golem_bridge.relay.frames import MAX_PAYLOAD, Frame, Kind, LinkError

if TYPE_CHECKING:
    from golem_bridge.relay.mux import Mux

WRITE_BUFFER = 64 * 1024
"""Bytes a stream's writer may be ahead of the link."""

READ_SIZE = 64 * 1024
"""Bytes taken from a stream, or from a socket that is pumped into one, at a time."""

INITIAL_WINDOW = 256 * 1024
"""Bytes a new stream may send at once: what ends of any version take. The reader may allow more."""


@dataclass(frozen=True)
class Direction:
    """``under_way``: frames that may be unacknowledged. ``window``: bytes a stream's reader may leave unread.

    ``message``: bytes after which no further frame joins a message. ``gap``: seconds between messages.
    """

    under_way: int
    window: int
    message: int
    gap: float


TO_NODE = Direction(under_way=8, window=INITIAL_WINDOW, message=1, gap=0)
"""More frames pile up in yagna's VPN actor and slow it down; in larger messages they arrive no sooner."""

TO_BRIDGE = Direction(under_way=64, window=512 * 1024, message=64 * 1024, gap=0.003)
"""Never reordered by yagna. But of two segments that come at once it hands over the second one some 45 ms later."""


class Stream:
    """One connection: reads and writes bytes, each direction ends on its own."""

    def __init__(self, mux: Mux, stream_id: int, *, window: int) -> None:
        self._mux = mux
        self.stream_id = stream_id
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.outgoing: deque[bytes] = deque()
        self.outgoing_size = 0
        self.eof_wanted = False
        self._eof_sent = False
        self._may_send = INITIAL_WINDOW
        self._sent = 0
        self._incoming: deque[bytes] = deque()
        self._received = 0
        self._consumed = 0
        self._window = window
        self._promised = INITIAL_WINDOW
        self._eof_received = False
        self._failure: str | None = None
        self._changed = asyncio.Event()

    async def read(self, limit: int = READ_SIZE) -> bytes:
        """What has come, up to ``limit`` bytes; b"" at the end. Raises ConnectionError if the stream broke."""
        while not self._incoming:
            if self._eof_received:
                return b""
            self._raise_failure()
            await self._wait()
        data = self._take(limit)
        self._consumed += len(data)
        self._grant()
        return data

    async def write(self, data: bytes) -> None:
        """Send; waits while the link or the other end's reader is behind. Raises ConnectionError."""
        for start in range(0, len(data), MAX_PAYLOAD):
            while self.outgoing_size >= WRITE_BUFFER and self._failure is None:
                await self._wait()
            self._raise_failure()
            if self.eof_wanted:
                raise ConnectionError("the stream was ended before")
            chunk = data[start : start + MAX_PAYLOAD]
            self.outgoing.append(chunk)
            self.outgoing_size += len(chunk)
            self._mux.want_turn(self)

    async def write_eof(self) -> None:
        """Nothing more will be written; reading goes on."""
        if not self.eof_wanted and self._failure is None:
            self.eof_wanted = True
            self._mux.want_turn(self)

    async def close(self) -> None:
        """End both directions now; never raises."""
        if not (self._eof_sent and self._eof_received):
            self._mux.send_control_in_order(Kind.RESET, self.stream_id)
        self.fail("the stream was closed")
        self._mux.forget(self)

    def next_frame(self) -> Frame | None:
        """What this stream sends at its turn; None if it has nothing or no room at the other end."""
        if self.outgoing:
            room = self._may_send - self._sent
            if room <= 0:
                return None
            chunk = self.outgoing.popleft()
            if len(chunk) > room:
                self.outgoing.appendleft(chunk[room:])
                chunk = chunk[:room]
            self._sent += len(chunk)
            self.outgoing_size -= len(chunk)
            self._changed.set()
            return Frame(Kind.DATA, 0, self.stream_id, chunk)
        if self.eof_wanted and not self._eof_sent:
            self._eof_sent = True
            self._forget_if_done()
            return Frame(Kind.EOF, 0, self.stream_id)
        return None

    def on_opened(self) -> None:
        """The other end is connected, and knows the stream: it may hear of all the room there is."""
        if not self.opened.done():
            self.opened.set_result(None)
        if self._window > self._promised:
            self._promise(self._consumed + self._window)

    def on_data(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > self._promised:
            raise LinkError("the other end sent more than it was allowed to")
        if not data:
            raise LinkError("the other end sent nothing, which no window bounds")
        self._incoming.append(data)
        self._changed.set()

    def on_eof(self) -> None:
        self._eof_received = True
        self._changed.set()
        self._forget_if_done()

    def on_window(self, limit: int) -> None:
        if limit > self._may_send:
            self._may_send = limit
            self._mux.want_turn(self)

    def fail(self, reason: str) -> None:
        """The stream is over; whoever reads or writes is told."""
        if self._failure is None:
            self._failure = reason
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(reason))
            self.opened.exception()
        self.outgoing.clear()
        self._changed.set()

    def _take(self, limit: int) -> bytes:
        pieces = []
        while self._incoming and limit > 0:
            piece = self._incoming.popleft()
            if len(piece) > limit:
                self._incoming.appendleft(piece[limit:])
                piece = piece[:limit]
            pieces.append(piece)
            limit -= len(piece)
        return b"".join(pieces)

    def _grant(self) -> None:
        """Tell the other end of new room, once half of the window was consumed."""
        if self._consumed + self._window - self._promised >= self._window // 2:
            self._promise(self._consumed + self._window)

    def _promise(self, limit: int) -> None:
        self._promised = limit
        self._mux.send_control(Frame(Kind.WINDOW, limit, self.stream_id))

    def _forget_if_done(self) -> None:
        if self._eof_sent and self._eof_received:
            self._mux.forget(self)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise ConnectionResetError(self._failure)

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()
