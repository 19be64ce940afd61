"""The engine of both ends, without any channel: what is sent is collected, what arrives is fed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from golem_bridge.relay.frames import MAX_PAYLOAD, Decoder, Frame, Kind, LinkError
from golem_bridge.relay.mux import Mux
from golem_bridge.relay.stream import INITIAL_WINDOW, READ_SIZE, Direction, Stream

DIRECTION = Direction(under_way=16, window=2 * INITIAL_WINDOW, message=2 * MAX_PAYLOAD, gap=0.003)


class End:
    """A mux whose messages are collected. Its naps last until :meth:`wake`."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.accepted: list[Stream] = []
        self._nap = asyncio.Event()
        self.mux = Mux(
            self._send,
            outgoing=DIRECTION,
            incoming=DIRECTION,
            now=lambda: 0.0,
            sleep=self._sleep,
            accept=lambda stream, _: self.accepted.append(stream),
        )

    async def _send(self, message: bytes) -> None:
        self.messages.append(message)

    async def _sleep(self, seconds: float) -> None:
        if seconds == DIRECTION.gap:
            await self._nap.wait()
        else:
            await asyncio.get_running_loop().create_future()

    async def wake(self) -> None:
        """The gap after a message is over."""
        self._nap.set()
        self._nap = asyncio.Event()
        await idle()

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


async def test_half_of_what_may_be_under_way_is_acknowledged_at_once(end: End) -> None:
    end.receives(OPEN)
    for number in range(2, 17):
        end.receives(data(number))
        await end.wake()
    assert [ack.number for ack in end.sent(Kind.ACK)] == [8, 16]


async def test_less_is_acknowledged_with_what_is_sent_anyway(end: End) -> None:
    end.receives(OPEN, data(2))
    await idle()
    assert end.messages == []
    (stream,) = end.accepted
    await stream.write(b"x")
    await end.wake()
    assert len(end.messages) == 1
    assert [ack.number for ack in end.sent(Kind.ACK)] == [2]
    end.receives(Frame(Kind.PING))
    await end.wake()
    assert len(end.sent(Kind.ACK)) == 1, "nothing new has come, so there is nothing to acknowledge"


async def test_what_is_ready_travels_together_as_far_as_a_message_holds_it(end: End) -> None:
    end.receives(OPEN, Frame(Kind.PING))
    (stream,) = end.accepted
    await stream.write(bytes(3 * MAX_PAYLOAD))
    await idle()
    assert [len(end.sent(kind)) for kind in (Kind.PONG, Kind.ACK, Kind.DATA)] == [1, 1, 2]
    assert len(end.messages) == 1


async def test_the_next_message_waits_for_the_gap(end: End) -> None:
    end.receives(OPEN)
    (stream,) = end.accepted
    await stream.write(b"first")
    await idle()
    await stream.write(b"second")
    await stream.write(b"third")
    await idle()
    assert [frame.payload for frame in end.sent(Kind.DATA)] == [b"first"]
    await end.wake()
    assert [frame.payload for frame in end.sent(Kind.DATA)] == [b"first", b"second", b"third"]
    assert len(end.messages) == 2


async def test_the_next_message_does_not_wait_once_the_last_one_has_arrived(end: End) -> None:
    """A keystroke's answer is not held back for that of the one before."""
    end.receives(OPEN)
    (stream,) = end.accepted
    for number, answer in enumerate([b"first", b"second", b"third"], start=1):
        await stream.write(answer)
        await idle()
        assert [frame.payload for frame in end.sent(Kind.DATA)][-1] == answer
        end.receives(Frame(Kind.ACK, number))
    assert len(end.messages) == 3


async def test_an_older_messages_arrival_says_nothing_of_the_last_one(end: End) -> None:
    end.receives(OPEN)
    (stream,) = end.accepted
    await stream.write(bytes(DIRECTION.message))
    await idle()
    await stream.write(b"next")
    end.receives(Frame(Kind.ACK, 1))
    await idle()
    assert len(end.messages) == 1
    end.receives(Frame(Kind.ACK, 2))
    await idle()
    assert len(end.messages) == 2


async def test_a_message_whose_arrival_nobody_tells_is_kept_apart_from_the_next(end: End) -> None:
    end.receives(OPEN, Frame(Kind.PING))
    (stream,) = end.accepted
    await idle()
    await stream.write(b"first")
    end.receives(Frame(Kind.ACK, 0))
    await idle()
    assert end.sent(Kind.DATA) == []
    await end.wake()
    assert [frame.payload for frame in end.sent(Kind.DATA)] == [b"first"]


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


async def test_one_pong_answers_many_pings(end: End) -> None:
    end.receives(*[Frame(Kind.PING)] * 1000)
    await end.wake()
    assert len(end.sent(Kind.PONG)) == 1


async def test_data_that_is_none_ends_the_link(end: End) -> None:
    end.receives(OPEN)
    with pytest.raises(LinkError, match="sent nothing"):
        end.receives(Frame(Kind.DATA, 2, 1))


async def test_a_new_stream_sends_no_more_than_ends_of_any_version_take(end: End) -> None:
    end.receives(OPEN)
    (stream,) = end.accepted
    sending = asyncio.create_task(stream.write(bytes(2 * INITIAL_WINDOW)))
    for number in range(1, 100):
        end.receives(Frame(Kind.ACK, number))
        await end.wake()
    assert sum(len(frame.payload) for frame in end.sent(Kind.DATA)) == INITIAL_WINDOW
    sending.cancel()


async def test_the_end_that_opened_a_stream_allows_all_its_room_once_the_other_knows_the_stream(end: End) -> None:
    stream = end.mux.open_stream(22)
    await end.wake()
    assert end.sent(Kind.WINDOW) == []
    end.receives(Frame(Kind.OPENED, 1, stream.stream_id))
    await end.wake()
    assert [frame.number for frame in end.sent(Kind.WINDOW)] == [DIRECTION.window]
