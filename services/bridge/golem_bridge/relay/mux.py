"""Many byte streams over one link. Part of what is sent to nodes: standard library only, Python 3.9 or newer.

Both ends run the same engine. A stream sends only what its reader has room for, so a reader that stalls stops
its own stream and nothing else; the link has few frames under way at a time, so nothing piles up in yagna; and
streams take turns, so a bulk upload does not starve a keystroke.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Awaitable, Callable

from golem_bridge.relay.frames import MAX_PAYLOAD, Decoder, Frame, Kind, LinkError, Resequencer

STREAM_WINDOW = 256 * 1024
"""Bytes a stream's reader may leave unread."""

WRITE_BUFFER = 64 * 1024
"""Bytes a stream's writer may be ahead of the link."""

PING_INTERVAL = 5.0
DEAD_AFTER = 15.0
"""Seconds without a frame from the other end, or with a hole in the order."""

MAX_STREAMS = 1000
PORT = struct.Struct(">H")

Now = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class Stream:
    """One connection: reads and writes bytes, each direction ends on its own."""

    def __init__(self, mux: Mux, stream_id: int) -> None:
        self._mux = mux
        self.stream_id = stream_id
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.outgoing: deque[bytes] = deque()
        self.outgoing_size = 0
        self.eof_wanted = False
        self._eof_sent = False
        self._may_send = STREAM_WINDOW
        self._sent = 0
        self._incoming: deque[bytes] = deque()
        self._received = 0
        self._consumed = 0
        self._promised = STREAM_WINDOW
        self._eof_received = False
        self._failure: str | None = None
        self._changed = asyncio.Event()

    async def read(self, limit: int = MAX_PAYLOAD) -> bytes:
        """Up to ``limit`` bytes; b"" at the end. Raises ConnectionError if the stream broke."""
        while not self._incoming:
            if self._eof_received:
                return b""
            self._raise_failure()
            await self._wait()
        data = self._incoming.popleft()
        if len(data) > limit:
            self._incoming.appendleft(data[limit:])
            data = data[:limit]
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

    def on_data(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > self._promised:
            raise LinkError("the other end sent more than it was allowed to")
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

    def _grant(self) -> None:
        """Tell the other end of new room, once half of the window was consumed."""
        if self._consumed + STREAM_WINDOW - self._promised >= STREAM_WINDOW // 2:
            self._promised = self._consumed + STREAM_WINDOW
            self._mux.send_control(Frame(Kind.WINDOW, self._promised, self.stream_id))

    def _forget_if_done(self) -> None:
        if self._eof_sent and self._eof_received:
            self._mux.forget(self)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise ConnectionResetError(self._failure)

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()


class Mux:
    """One end of a link. ``send`` sends one message; ``accept`` is given streams the other end opens.

    Call :meth:`feed` with what arrives and run :meth:`run`, which ends by raising LinkError or ConnectionError.
    """

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        *,
        under_way: int,
        now: Now,
        sleep: Sleep,
        accept: Callable[[Stream, int], None] | None = None,
        on_hello: Callable[[bytes], None] | None = None,
    ) -> None:
        self._send = send
        self._under_way = under_way
        self._now = now
        self._sleep = sleep
        self._accept = accept
        self._on_hello = on_hello
        self._streams: dict[int, Stream] = {}
        self._turns: deque[Stream] = deque()
        self._control: deque[Frame] = deque()
        self._in_order: deque[Frame] = deque()
        self._decoder = Decoder()
        self._resequencer = Resequencer()
        self._next_number = 1
        self._acknowledged = 0
        self._next_stream = 1
        self._heard = now()
        self._wake = asyncio.Event()
        self._failure: str | None = None

    @property
    def stream_count(self) -> int:
        return len(self._streams)

    @property
    def failure(self) -> str | None:
        """Why the link is over; None while it is not."""
        return self._failure

    def hello(self, token: bytes) -> None:
        """Introduce this end: the first numbered frame."""
        self._in_order.append(Frame(Kind.HELLO, 0, 0, token))
        self._wake.set()

    def open_stream(self, port: int) -> Stream:
        """Ask the other end for a connection to one of its ports; await ``stream.opened``."""
        if self._failure is not None:
            raise ConnectionResetError(self._failure)
        stream = Stream(self, self._next_stream)
        self._next_stream += 1
        self._streams[stream.stream_id] = stream
        self.send_control_in_order(Kind.OPEN, stream.stream_id, PORT.pack(port))
        return stream

    def answer(self, stream: Stream, refused: str | None = None) -> None:
        """Tell the other end whether the connection it asked for is there."""
        if refused is None:
            self.send_control_in_order(Kind.OPENED, stream.stream_id)
            return
        self.send_control_in_order(Kind.REFUSED, stream.stream_id, refused.encode()[:MAX_PAYLOAD])
        self.forget(stream)

    async def run(self) -> None:
        """Send what there is to send, and watch the other end; ends only by failing."""
        tasks = [asyncio.ensure_future(self._send_for_ever()), asyncio.ensure_future(self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def feed(self, data: bytes) -> None:
        """Take what arrived. Raises LinkError."""
        self._heard = self._now()
        delivered = self._resequencer.delivered
        for frame in self._decoder.feed(data):
            if frame.kind.is_numbered:
                for ready in self._resequencer.push(frame):
                    self._deliver(ready)
            else:
                self._take_control(frame)
        if self._resequencer.delivered != delivered:
            self.send_control(Frame(Kind.ACK, self._resequencer.delivered))

    def fail(self, reason: str) -> None:
        """The link is over: so are its streams."""
        if self._failure is None:
            self._failure = reason
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.fail(reason)

    def want_turn(self, stream: Stream) -> None:
        """The stream may have something to send."""
        if stream not in self._turns:
            self._turns.append(stream)
        self._wake.set()

    def forget(self, stream: Stream) -> None:
        self._streams.pop(stream.stream_id, None)

    def send_control(self, frame: Frame) -> None:
        """Send an unnumbered frame at once; the newest ACK replaces an older one that was not sent yet."""
        if frame.kind is Kind.ACK:
            self._control = deque(kept for kept in self._control if kept.kind is not Kind.ACK)
        self._control.append(frame)
        self._wake.set()

    def send_control_in_order(self, kind: Kind, stream_id: int, payload: bytes = b"") -> None:
        """Send a frame that opens or ends a stream, in its order."""
        self._in_order.append(Frame(kind, 0, stream_id, payload))
        self._wake.set()

    def _deliver(self, frame: Frame) -> None:
        if frame.kind is Kind.HELLO:
            if self._on_hello is not None:
                self._on_hello(frame.payload)
            return
        if frame.kind is Kind.OPEN:
            self._on_open(frame)
            return
        stream = self._streams.get(frame.stream)
        if stream is None:
            return  # closed here while the frame was under way
        if frame.kind is Kind.DATA:
            stream.on_data(frame.payload)
        elif frame.kind is Kind.EOF:
            stream.on_eof()
        elif frame.kind is Kind.OPENED:
            if not stream.opened.done():
                stream.opened.set_result(None)
        else:
            reason = frame.payload.decode(errors="replace") or "the other end closed the stream"
            self.forget(stream)
            stream.fail(reason)

    def _on_open(self, frame: Frame) -> None:
        if self._accept is None or frame.stream in self._streams or len(self._streams) >= MAX_STREAMS:
            raise LinkError("a stream was opened that cannot be")
        stream = Stream(self, frame.stream)
        stream.opened.set_result(None)
        self._streams[frame.stream] = stream
        self._accept(stream, PORT.unpack(frame.payload)[0])

    def _take_control(self, frame: Frame) -> None:
        if frame.kind is Kind.ACK:
            self._acknowledged = max(self._acknowledged, frame.number)
            self._wake.set()
        elif frame.kind is Kind.WINDOW and frame.stream in self._streams:
            self._streams[frame.stream].on_window(frame.number)
        elif frame.kind is Kind.PING:
            self.send_control(Frame(Kind.PONG))

    async def _send_for_ever(self) -> None:
        while True:
            frame = self._next()
            if frame is None:
                self._wake.clear()
                await self._wake.wait()
            else:
                await self._send(frame.encode())

    def _next(self) -> Frame | None:
        """The next frame to send: control, then what is in order, then the streams in turn."""
        if self._control:
            return self._control.popleft()
        if self._next_number - 1 - self._acknowledged >= self._under_way:
            return None
        frame = self._next_numbered()
        if frame is None:
            return None
        numbered = Frame(frame.kind, self._next_number, frame.stream, frame.payload)
        self._next_number += 1
        return numbered

    def _next_numbered(self) -> Frame | None:
        if self._in_order:
            return self._in_order.popleft()
        for _ in range(len(self._turns)):
            stream = self._turns.popleft()
            frame = stream.next_frame()
            if frame is not None:
                self._turns.append(stream)
                return frame
        return None

    async def _watch(self) -> None:
        """Ping, and give up when nothing comes any more or a hole in the order stays."""
        complete = self._now()
        while True:
            await self._sleep(PING_INTERVAL)
            if not self._resequencer.has_gap:
                complete = self._now()
            silent = self._now() - max(self._heard, 0)
            if silent > DEAD_AFTER or self._now() - complete > DEAD_AFTER:
                raise LinkError(f"the other end is silent for {silent:.0f} s")
            self.send_control(Frame(Kind.PING))
