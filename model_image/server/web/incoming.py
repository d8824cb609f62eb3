"""The incoming side of a request: its body within limits of size and time, its deadline, and whether anybody waits."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from model_image.server.errors import Kind, ServingError
from model_image.server.scheduling.admission import late
from model_image.server.scheduling.scheduler import Asked
from model_image.server.web.schema import MAX_BODY

MAX_BODIES = 64 * MAX_BODY
"""Bytes of all bodies together, from their arrival until their answers: 64 of the largest."""

BODY_SECONDS = 10.0
"""For the whole body: 1 MiB at 0.8 Mbit/s."""

TIMEOUT = "serving-timeout-ms"
"""The header with which a client asks for less than SERVING_TIMEOUT_SECONDS."""

USER = "serving-user"
"""The header that names the user on whose behalf a shop asks: who gets the canary. Never logged."""

T = TypeVar("T")


def asked(request: Request, most_seconds: float) -> Asked:
    """Who asks, and until when the answer is of use. Raises `ServingError`."""
    text = request.headers.get(TIMEOUT)
    seconds = most_seconds
    if text is not None:
        most = int(most_seconds * 1000)
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
            raise ServingError(Kind.INVALID_REQUEST, f"{TIMEOUT}: expected a whole number from 1 to {most}")
        seconds = int(text) / 1000
    return Asked(client=request.state.client, deadline=time.monotonic() + seconds)


class Bodies:
    """Reads bodies, and keeps count of the memory of those whose requests are not over. Of one event loop."""

    def __init__(self) -> None:
        self.bytes = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, counted until the block ends. Raises `ServingError` as soon as it is too large or too slow,
        or all together are too many; `ClientDisconnect`."""
        own = 0

        def count(length: int) -> None:
            nonlocal own
            if self.bytes + length > MAX_BODIES:
                raise ServingError(Kind.OVERLOADED, "too many bodies arrive at the same time", retry_after=1)
            self.bytes += length
            own += length

        try:
            yield await _body(request, count)
        finally:
            self.bytes -= own


async def _body(request: Request, count: Callable[[int], None]) -> bytes:
    too_large = ServingError(Kind.BODY_TOO_LARGE, f"the body is above {MAX_BODY} bytes")
    length = request.headers.get("content-length", "")
    if length.isdigit() and (len(length) > 18 or int(length) > MAX_BODY):
        raise too_large
    received = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                if len(received) + len(chunk) > MAX_BODY:
                    raise too_large
                count(len(chunk))
                received += chunk
    except TimeoutError:
        raise ServingError(Kind.SLOW_BODY, f"the body did not arrive within {BODY_SECONDS:g} s") from None
    return bytes(received)


async def while_wanted(receive: Receive, deadline: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client leaves (`ClientDisconnect`) or at `deadline`
    (`ServingError`). `receive` is the request's own, its body read."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait(
            {working, leaving}, timeout=max(0.0, deadline - time.monotonic()), return_when=asyncio.FIRST_COMPLETED
        )
        if working.done():
            return working.result()
        if leaving.done():
            raise ClientDisconnect
        raise late()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
