"""The event loop of the web server: asyncio's own, with an end to handshakes that do not end."""

import asyncio
from typing import Any

HANDSHAKE_SECONDS = 10.0
"""Of TLS, instead of asyncio's 60: until it ends nobody knows of the connection, and it takes its buffers."""


class Loop(asyncio.SelectorEventLoop):
    """uvicorn has no word for the time a handshake may take."""

    async def create_server(self, *args: Any, **how: Any) -> Any:
        """As the base class, which refuses the time where there is no TLS."""
        if how.get("ssl"):
            how["ssl_handshake_timeout"] = HANDSHAKE_SECONDS
        return await super().create_server(*args, **how)
