"""What a long-running verb tells its user: one line per step, with the time it usually takes."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

HEARTBEAT_SECONDS = 15.0


class UserError(Exception):
    """What went wrong in words for the user: the field or object, the value, the rule and the way out."""


class BadInput(UserError):
    """What the user gave cannot be worked with; nothing was done."""


def note(text: str) -> None:
    """Print a result now, also when stdout is a pipe or a file."""
    print(text, flush=True)


def progress_line(text: str) -> None:
    """Tell how work goes on: on stderr, so that a verb's stdout holds its result alone."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str, usual: str = "", progress: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Announce a step, show that it is alive every 15 s, and say how long it took.

    ``usual`` is free text such as ``"40 s"``: the time a first run takes on two cores. ``progress`` returns a few
    words on how far the step is; they go with the sign of life.
    """
    progress_line(f"{title}{f' (usually {usual})' if usual else ''} ...")
    began = time.monotonic()
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            progress_line(f"  ... {time.monotonic() - began:.0f} s: {title} {progress()}".rstrip())

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    try:
        yield
    except BaseException:
        done.set()
        progress_line(f"  failed after {time.monotonic() - began:.0f} s: {title}")
        raise
    done.set()
    progress_line(f"  ok, {time.monotonic() - began:.1f} s: {title}")


def run_verb(main: Callable[[], int | None]) -> NoReturn:
    """Run a verb's main and turn what it raises into an exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    try:
        code = main() or 0
    except UserError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        code = 2 if isinstance(error, BadInput) else 1
    except KeyboardInterrupt:
        print("interrupted; running the same command again goes on from here", file=sys.stderr, flush=True)
        code = 130
    sys.exit(code)
