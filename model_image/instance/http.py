"""Short GET and PUT requests to services on this machine: no proxy, a time limit, and every failure one exception."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping

SECONDS = 2.0
MOST_BYTES = 1 << 20

# A proxy of the environment is for the way out; metadata asked through one would be another machine's.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NoAnswerError(Exception):
    """Nothing answered at this address in time; the message names address and cause."""


def ask(url: str, headers: Mapping[str, str] | None = None, *, method: str = "GET") -> tuple[int, str]:
    """Status and text of the answer, whatever the status. Raises `NoAnswerError`."""
    request = urllib.request.Request(url, headers=dict(headers or {}), method=method)
    try:
        with _opener.open(request, timeout=SECONDS) as answer:
            return answer.status, answer.read(MOST_BYTES).decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(f"{url}: {getattr(error, 'reason', None) or error or type(error).__name__}") from error
