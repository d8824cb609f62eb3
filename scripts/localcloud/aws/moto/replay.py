"""A call whose answer got lost is answered again, not done again.

A busy machine now and then loses an answer on its way; the SDK tries again, and moto, which keeps no client tokens,
refuses what its own first try has made ("already exists"). All tries of one call carry the same id.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
CALL_ID = "HTTP_AMZ_SDK_INVOCATION_ID"
KEPT = 512  # calls; a try follows the one before within seconds
LARGEST = 1_000_000  # bytes of an answer that is kept


def replaying(app: Wsgi) -> Wsgi:
    """``app`` with a memory for the answers to POST and PUT calls. Not safe for two requests at a time."""
    answers: OrderedDict[str, tuple[str, list[tuple[str, str]], bytes]] = OrderedDict()

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        name = environ.get(CALL_ID)
        if not name or environ["REQUEST_METHOD"] not in ("POST", "PUT"):
            return app(environ, start_response)
        if name in answers:
            print(f"answered again: {environ['REQUEST_METHOD']} {environ['PATH_INFO']} {name}", flush=True)
            status, headers, body = answers[name]
            start_response(status, headers)
            return [body]
        told: list[Any] = []

        def listen(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            told[:] = [status, headers]
            return start_response(status, headers, *rest)

        body = b"".join(app(environ, listen))
        if told[0].startswith("2") and len(body) <= LARGEST:
            answers[name] = (told[0], told[1], body)
            while len(answers) > KEPT:
                answers.popitem(last=False)
        return [body]

    return call
