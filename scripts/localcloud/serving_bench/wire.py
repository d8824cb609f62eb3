"""HTTP over plain sockets with requests made ready beforehand, so that the client leaves the cores to the server."""

import asyncio
import time
from typing import NamedTuple

HOST = "127.0.0.1"
_TIMEOUT = 60.0  # seconds: a server that answers later than this has failed


class Answer(NamedTuple):
    """What came back. `seconds` is from the first byte sent to the last received."""

    status: int
    body: bytes
    seconds: float


def prepared(path: str, body: bytes) -> bytes:
    """An HTTP request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One kept-alive connection; opened at the first question and again after a failure."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> Answer:
        """Raises OSError, also when the server hangs up or is silent for too long."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_TIMEOUT):
                status, body = await self._exchange(request)
        except BaseException as error:
            self.close()
            if isinstance(error, asyncio.IncompleteReadError | asyncio.LimitOverrunError | ValueError):
                raise ConnectionError(f"port {self._port}: the answer broke off ({error})") from error
            raise
        return Answer(status, body, time.perf_counter() - began)

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if not self._streams:
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if b"connection: close" in head:
            self.close()
        return int(head.split(b" ", 2)[1]), body


def ask(port: int, request: bytes) -> Answer:
    """One question over a connection of its own. Raises OSError."""

    async def once() -> Answer:
        connection = Connection(port)
        try:
            return await connection.ask(request)
        finally:
            connection.close()

    return asyncio.run(once())
