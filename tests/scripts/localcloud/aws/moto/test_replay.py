"""A second try of a call gets the first one's answer."""

from typing import Any

from scripts.localcloud.aws.moto.replay import CALL_ID, KEPT, replaying


class Counter:
    """Counts what is done; a call to /fail does nothing."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/fail":
            start_response("500 Internal Server Error", [])
            return [b"no"]
        self.done += 1
        start_response("200 OK", [("X", str(self.done))])
        return [b"answer ", str(self.done).encode()]


def ask(app: Any, name: str, method: str = "POST", path: str = "/") -> tuple[list[Any], bytes]:
    told: list[Any] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, CALL_ID: name}
    body = b"".join(app(environ, lambda *status: told.extend(status)))
    return told, body


def test_a_second_try_is_answered_and_not_done() -> None:
    counter = Counter()
    app = replaying(counter)
    assert ask(app, "a") == ask(app, "a") == (["200 OK", [("X", "1")]], b"answer 1")
    assert counter.done == 1


def test_another_call_is_done() -> None:
    app = replaying(Counter())
    assert ask(app, "a")[1] != ask(app, "b")[1]


def test_what_failed_is_tried_again() -> None:
    counter = Counter()
    app = replaying(counter)
    ask(app, "a", path="/fail")
    assert ask(app, "a")[1] == b"answer 1"


def test_reading_is_done_every_time() -> None:
    app = replaying(Counter())
    assert ask(app, "a", "GET")[1] != ask(app, "a", "GET")[1]


def test_the_memory_is_bounded() -> None:
    counter = Counter()
    app = replaying(counter)
    for number in range(KEPT + 1):
        ask(app, str(number))
    ask(app, "0")
    assert counter.done == KEPT + 2
