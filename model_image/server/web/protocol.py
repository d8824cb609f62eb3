"""HTTP/1.1 of the web server, with an end to what a client may leave open: headers, a refused body, an answer."""

import asyncio

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from model_image.server.errors import STATUS, Kind
from model_image.server.web.schema_status import ErrorAnswer, Refused

HEADER_SECONDS = 10.0
"""From a request's first byte to the end of its headers."""

REST_SECONDS = 5.0
"""How long the rest of a body is read and thrown away after the answer: to close at once would reset the connection,
and many a client would see that instead of the refusal."""


class BoundedProtocol(H11Protocol):
    """A connection on which nothing was ever asked ends like one between two requests: after the keep-alive time."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._bound(None)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # an answer that is not read would keep its memory

    def send_400_response(self, msg: str) -> None:
        self._refuse(Kind.INVALID_HTTP, msg)

    def _look(self) -> None:
        """Start or end the time limit that the state of the connection asks for; one that runs is not prolonged."""
        if self.transport.is_closing():
            self._bound(None)
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._bound(HEADER_SECONDS)
        elif self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete:
            self._bound(REST_SECONDS)
        else:
            self._bound(None)

    def _bound(self, seconds: float | None) -> None:
        if seconds is None and self._limit is not None:
            self._limit.cancel()
            self._limit = None
        if seconds is not None and self._limit is None:
            self._limit = self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self._refuse(Kind.SLOW_BODY, f"the headers did not arrive within {HEADER_SECONDS:g} s")
        else:
            self.transport.abort()

    def _refuse(self, kind: Kind, message: str) -> None:
        """Answer and close, where an answer may still be sent."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            content = msgspec.json.encode(ErrorAnswer(error=Refused(type=kind, message=message)))
            headers = [("content-type", "application/json"), ("content-length", str(len(content)))]
            response = h11.Response(status_code=STATUS[kind], headers=[*headers, ("connection", "close")])
            for event in (response, h11.Data(data=content), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
