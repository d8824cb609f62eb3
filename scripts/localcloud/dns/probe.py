"""One request of a health checker, within Route 53's time limits.

Limits (Route 53 developer guide, "How Route 53 determines whether a health check is healthy"): the connection, for
HTTPS with its handshake, within 4 s, then a status of 200 to 399 within 2 s; TCP: a connection within 10 s. The
certificate is not verified, as Route 53 does not verify it.
"""

import asyncio
import os
import ssl
from collections.abc import Callable
from contextlib import suppress

from scripts.localcloud.dns.view import HealthCheck

CONNECT_SECONDS, RESPONSE_SECONDS, TCP_SECONDS = 4.0, 2.0, 10.0
PASSING = range(200, 400)


async def probe(check: HealthCheck, resolve: Callable[[str], tuple[str, ...]]) -> tuple[bool, str]:
    """Check the endpoint once; returns whether it passed and why. ``resolve`` maps a host name to addresses."""
    address = check.address or next(iter(resolve(check.host)), "")
    if not address:
        return False, f"{check.host}: no such name"
    limit = TCP_SECONDS if check.type == "TCP" else CONNECT_SECONDS
    try:
        reader, writer = await asyncio.wait_for(_connect(check, address), limit)
    except TimeoutError:
        return False, f"{address}:{check.port}: no connection within {limit:.0f} s"
    except OSError as error:
        return False, f"{address}:{check.port}: {os.strerror(error.errno) if error.errno else error}"
    try:
        if check.type == "TCP":
            return True, f"{address}:{check.port}: connected"
        writer.write(request(check, address))
        line = await asyncio.wait_for(reader.readline(), RESPONSE_SECONDS)
    except TimeoutError:
        return False, f"{address}:{check.port}: no answer within {RESPONSE_SECONDS:.0f} s"
    except (OSError, ValueError) as error:
        return False, f"{address}:{check.port}: {error}"
    finally:
        writer.close()
        with suppress(OSError, asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 1.0)
    return judge(line)


def request(check: HealthCheck, address: str) -> bytes:
    """The request text; the host header is the check's name, or its address when it has none."""
    host = check.host or address
    return (
        f"GET {check.path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n"
        "User-Agent: Amazon-Route53-Health-Check-Service\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def judge(status_line: bytes) -> tuple[bool, str]:
    """Whether an HTTP status line passes, with the reason."""
    words = status_line.decode("latin-1").split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        return False, "the answer is not HTTP"
    return int(words[1]) in PASSING, f"status {words[1]}"


async def _connect(check: HealthCheck, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if check.type != "HTTPS":
        return await asyncio.open_connection(address, check.port)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # asyncio wants a name for TLS; an empty one sends none.
    name = check.host if check.sni else ""
    return await asyncio.open_connection(address, check.port, ssl=context, server_hostname=name)
