"""Many byte streams over one link. Part of what is sent to nodes: standard library only, Python 3.9 or newer.

Both ends run the same engine. A stream sends only what its reader has room for, so a reader that stalls stops
its own stream and nothing else; the link has few frames under way at a time, so nothing piles up in yagna; and
streams take turns, so a bulk upload does not starve a keystroke.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Iterator

from golem_bridge.relay.frames import HEADER, MAX_PAYLOAD, Decoder, Frame, Kind, LinkError, Resequencer
from golem_bridge.relay.stream import Direction, Stream

PING_INTERVAL = 5.0
DEAD_AFTER = 15.0
"""Seconds without a frame from the other end, or with a hole in the order."""

MAX_STREAMS = 1000
PORT = struct.Struct(">H")

Now = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class Mux:
    """One end of a link. ``send`` sends one message; ``accept`` is given streams the other end opens.

    Call :meth:`feed` with what arrives and run :meth:`run`, which ends by raising LinkError or ConnectionError.
    """

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        *,
        outgoing: Direction,
        incoming: Direction,
        now: Now,
        sleep: Sleep,
        accept: Callable[[Stream, int], None] | None = None,
        on_hello: Callable[[bytes], None] | None = None,
    ) -> None:
        self._send = send
        self._outgoing = outgoing
        self._incoming = incoming
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
        self._acknowledged_theirs = 0
        self._owes_pong = False
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

    @property
    def heard_at(self) -> float:
        """When something of the other end came last, as ``now`` tells the time; nothing yet: when this end began."""
        return self._heard

    def hello(self, token: bytes) -> None:
        """Introduce this end: the first numbered frame."""
        self._in_order.append(Frame(Kind.HELLO, 0, 0, token))
        self._wake.set()

    def open_stream(self, port: int) -> Stream:
        """Ask the other end for a connection to one of its ports; await ``stream.opened``."""
        if self._failure is not None:
            raise ConnectionResetError(self._failure)
        stream = Stream(self, self._next_stream, window=self._incoming.window)
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
        for frame in self._decoder.feed(data):
            if frame.kind.is_numbered:
                for ready in self._resequencer.push(frame):
                    self._deliver(ready)
            else:
                self._take_control(frame)
        if self._owed >= self._incoming.under_way // 2:
            self._wake.set()

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
        """Send an unnumbered frame at once."""
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
            stream.on_opened()
        else:
            reason = frame.payload.decode(errors="replace") or "the other end closed the stream"
            self.forget(stream)
            stream.fail(reason)

    def _on_open(self, frame: Frame) -> None:
        if self._accept is None or frame.stream in self._streams or len(self._streams) >= MAX_STREAMS:
            raise LinkError("a stream was opened that cannot be")
        stream = Stream(self, frame.stream, window=self._incoming.window)
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
            self._owes_pong = True  # one answers all: who asks without listening fills no queue here
            self._wake.set()

    async def _send_for_ever(self) -> None:
        while True:
            first = self._next_number
            message = self._next_message()
            if message:
                await self._send(message)
                if self._outgoing.gap:
                    await self._keep_apart(is_numbered=self._next_number > first)
            else:
                await self._woken()

    async def _keep_apart(self, *, is_numbered: bool) -> None:
        """Wait for the gap, but no longer than until the other end says that it has the message."""
        last = self._next_number - 1
        gap = asyncio.ensure_future(self._sleep(self._outgoing.gap))
        gap.add_done_callback(lambda _: self._wake.set())
        try:
            while not gap.done() and not (is_numbered and self._acknowledged >= last):
                await self._woken()
        finally:
            gap.cancel()

    async def _woken(self) -> None:
        """Until there may be something to send, or the other end has told something."""
        self._wake.clear()
        await self._wake.wait()

    def _next_message(self) -> bytes:
        """All control frames that wait, and what is next in order: each message costs yagna a turn."""
        frames = [Frame(Kind.PONG)] if self._owes_pong else []
        self._owes_pong = False
        frames += self._control
        self._control.clear()
        size = 0
        while size < self._outgoing.message and (frame := self._next()) is not None:
            frames.append(frame)
            size += len(frame.payload) + HEADER.size
        if frames or self._owed >= self._incoming.under_way // 2:
            frames += self._acknowledgement()
        return b"".join(frame.encode() for frame in frames)

    @property
    def _owed(self) -> int:
        """Frames that arrived and were not acknowledged yet."""
        return self._resequencer.delivered - self._acknowledged_theirs

    def _acknowledgement(self) -> Iterator[Frame]:
        """Travels with what is sent anyway, alone only before the other end has to wait: yagna takes as long for it
        as for 1.4 KB."""
        if self._owed:
            self._acknowledged_theirs = self._resequencer.delivered
            yield Frame(Kind.ACK, self._acknowledged_theirs)

    def _next(self) -> Frame | None:
        """The next numbered frame: what opens and ends streams, then the streams in turn."""
        if self._next_number - 1 - self._acknowledged >= self._outgoing.under_way:
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
