"""The engine of both ends, without any channel: what is sent is collected, what arrives is fed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from golem_bridge.relay.frames import MAX_PAYLOAD, Decoder, Frame, Kind
from golem_bridge.relay.mux import Mux
from golem_bridge.relay.stream import READ_SIZE, Direction, Stream

DIRECTION = Direction(under_way=16, window=256 * 1024)


class End:
    """A mux whose messages are collected."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.accepted: list[Stream] = []
        loop = asyncio.get_running_loop()
        self.mux = Mux(
            self._send,
            outgoing=DIRECTION,
            incoming=DIRECTION,
            now=loop.time,
            sleep=asyncio.sleep,
            accept=lambda stream, _: self.accepted.append(stream),
        )

    async def _send(self, message: bytes) -> None:
        self.messages.append(message)

    def sent(self, kind: Kind) -> list[Frame]:
        decoder = Decoder()
        return [frame for message in self.messages for frame in decoder.feed(message) if frame.kind is kind]

    def receives(self, *frames: Frame) -> None:
        self.mux.feed(b"".join(frame.encode() for frame in frames))


@pytest.fixture
async def end() -> AsyncIterator[End]:
    end = End()
    work = asyncio.create_task(end.mux.run())
    yield end
    work.cancel()
    await asyncio.wait([work])


async def idle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def data(number: int) -> Frame:
    return Frame(Kind.DATA, number, 1, bytes([number]) * MAX_PAYLOAD)


OPEN = Frame(Kind.OPEN, 1, 1, b"\0\x16")


async def test_a_few_frames_are_acknowledged_at_a_time(end: End) -> None:
    end.receives(OPEN)
    for number in range(2, 17):
        end.receives(data(number))
        await idle()
    assert [ack.number for ack in end.sent(Kind.ACK)] == [4, 8, 12, 16]


async def test_a_reader_gets_what_has_come_at_once(end: End) -> None:
    end.receives(OPEN, data(2), data(3), Frame(Kind.DATA, 4, 1, b"end"))
    (stream,) = end.accepted
    assert await stream.read() == data(2).payload + data(3).payload + b"end"


async def test_a_reader_gets_no_more_than_it_asked_for(end: End) -> None:
    frames = [data(number) for number in range(2, 8)]
    end.receives(OPEN, *frames)
    (stream,) = end.accepted
    got = [await stream.read(MAX_PAYLOAD + 1), await stream.read()]
    assert [len(piece) for piece in got] == [MAX_PAYLOAD + 1, READ_SIZE]
    got.append(await stream.read())
    assert b"".join(got) == b"".join(frame.payload for frame in frames)


async def test_control_frames_travel_with_what_is_in_order(end: End) -> None:
    end.receives(OPEN)
    (stream,) = end.accepted
    await idle()
    end.messages.clear()
    end.receives(Frame(Kind.PING), *(data(number) for number in range(2, 5)))
    await stream.write(b"x")
    await idle()
    assert len(end.messages) == 1
    assert [len(end.sent(kind)) for kind in (Kind.PONG, Kind.ACK, Kind.DATA)] == [1, 1, 1]
