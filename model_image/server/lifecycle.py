"""From the signal to the exit: not ready, wait until nobody sends traffic any more, finish what runs, leave."""

import asyncio
from socket import socket
from types import FrameType

import uvicorn

from model_image.server.logs import log


class Lifecycle:
    """`draining` is set by the first SIGTERM or SIGINT and never cleared."""

    def __init__(self) -> None:
        self.draining = False


class DrainingServer(uvicorn.Server):
    """Serves on for `drain_seconds` after the first signal, because load balancers notice /readyz late; then stops
    accepting and lets running requests finish. A second signal skips the wait."""

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, *, drain_seconds: float) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._drain_seconds = drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._lifecycle.draining or self._loop is None:
            self._stop()
            return
        self._lifecycle.draining = True
        log.info("draining", extra={"fields": {"signal": sig, "seconds": self._drain_seconds}})
        # A signal handler runs between two steps of the loop's thread; the loop may be asleep in its selector.
        self._loop.call_soon_threadsafe(self._loop.call_later, self._drain_seconds, self._stop)

    def _stop(self) -> None:
        """What the base class does on a signal, except that it would raise the signal again at the very end: as
        process 1 of a container that does nothing, elsewhere it turns a clean exit into a killed one."""
        self.should_exit = True
