"""How long a head may take to say what it wants: uvicorn itself waits for ever for a request's first and last byte."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_PATIENCE = 10.0
"""Seconds from the connection, or a later request's first byte, to a request's last byte."""


class ImpatientProtocol(H11Protocol):
    """uvicorn's own, except that it hangs up on whoever does not finish a request."""

    _hang_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._be_impatient()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_within_request():
            self._be_impatient()
        else:
            self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    def _is_within_request(self) -> bool:
        """Something of a request has come, its end has not."""
        if self.conn.their_state is h11.IDLE:
            return bool(self.conn.trailing_data[0])
        return self.conn.their_state is h11.SEND_BODY

    def _be_impatient(self) -> None:
        """From the first reason to be: a byte now and then changes nothing."""
        if self._hang_up is None:
            self._hang_up = self.loop.call_later(REQUEST_PATIENCE, self.transport.close)

    def _be_patient(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None
