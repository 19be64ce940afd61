"""How much a request may say. A head is a stranger's machine: what it sends must not fill this one's memory."""

from __future__ import annotations

from starlette.types import Message, Receive

from golem_bridge.errors import TooLargeError

HOST_BODY = 1 << 20
"""Bytes the user may send; what Ray's plug-in does send has a few thousand."""

HEAD_BODY = 1 << 18
"""Bytes a head may send: enough to name 1000 workers. Reading 1 MiB of mistakes takes a second and 200 MB."""


async def read_body(receive: Receive, *, most: int) -> Receive:
    """Read a request's body, sent with its length or in parts, for routes to receive it as one message.

    What follows it, or came instead, is received as it comes. Raises TooLargeError as soon as it has more than
    ``most`` bytes.
    """
    return replaying(await _whole(receive, most), receive)


def replaying(message: Message, receive: Receive) -> Receive:
    """Receive a message that was received before, then what follows it."""
    first: Message | None = message

    async def replay() -> Message:
        nonlocal first
        again, first = first, None
        return await receive() if again is None else again

    return replay


async def _whole(receive: Receive, most: int) -> Message:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message  # the client left
        body += message.get("body", b"")
        if len(body) > most:
            raise TooLargeError(f"The request is too long — more than {most} bytes — ask for less at once")
        if not message.get("more_body", False):
            return {"type": "http.request", "body": bytes(body), "more_body": False}
