"""HTTP/1.1 of the web server, with an end to what a client may leave open: headers, a refused body, an answer, and
connections that nobody uses."""

import asyncio
from typing import Any

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from model_image.server.errors import STATUS, Kind
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.web.schema_status import ErrorAnswer, Refused

HEADER_SECONDS = 10.0
"""From a request's first byte to the end of its headers."""

REST_SECONDS = 5.0
"""How long the rest of a body is read and thrown away after the answer: to close at once would reset the connection,
and many a client would see that instead of the refusal."""


WRITE_SECONDS = 10.0
"""For the part of an answer that did not fit into the system's buffers: a client that does not read would keep its
request, and with it the release that answered, for as long as it likes."""


class BoundedProtocol(H11Protocol):
    """A connection on which nothing was ever asked ends like one between two requests: after the keep-alive time.

    Beyond `connections` a new one takes the place of the one that has been idle for longest, so that probes and those
    who ask get through a crowd that does not; when all are busy it ends at once.
    """

    _limit: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, connections: int, metrics: Metrics, **how: Any) -> None:
        super().__init__(*args, **how)
        self._most = connections
        self._metrics = metrics

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self._most:
            self._metrics.connections_dropped.inc()
            idle = [one for one in self.connections if isinstance(one, BoundedProtocol) and one.timeout_keep_alive_task]
            if not idle:
                self.transport = transport
                transport.abort()
                return
            longest = min(idle, key=lambda one: one.timeout_keep_alive_task.when())  # type: ignore[union-attr]
            self.connections.discard(longest)  # its end comes a little later, and the next one must not choose it too
            longest.transport.abort()
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._bound(None)
        self._end_writing()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._must_write()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_writing()
        self._look()

    def shutdown(self) -> None:
        if not self.transport.is_closing():  # asyncio's TLS, closed twice, cannot be aborted any more
            super().shutdown()
        self._look()

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
            self._must_write()  # closed only when all is written, and with TLS when the client says so too
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

    def _must_write(self) -> None:
        if self._writing is None:
            self._writing = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def _end_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

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
            self._metrics.errors.labels(kind, "stable").inc()
            self._metrics.answer("other", STATUS[kind], "stable", 0)
            log.info("answered", extra={"fields": {"route": "other", "status": STATUS[kind]}})
        if not self.transport.is_closing():
            self.transport.close()
        self._look()
