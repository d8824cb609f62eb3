"""Requests that go on while something breaks, and what they tell about it."""

import itertools
import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from scripts.localcloud.processes import wait_until
from scripts.localcloud.vpn.place import Place
from tests.network.places import enter

# What a client that tries again waits for in all. Twice the bar for one tunnel.
PATIENCE_SECONDS = 20.0
# A lost tunnel costs the BGP hold time, 6 to 9 s.
UNDISTURBED_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Attempt:
    began: float
    ended: float
    pair: str
    request: int
    answered: bool


class Load:
    """Asks from every source its target, from the start of the block to its end.

    A block ends well only after everybody was answered once more: no outage is left out because it has not ended.
    """

    def __init__(self, place: Place, role: str, pairs: list[str], file: Path, *, port: int = 8080) -> None:
        self._pairs, self._file = pairs, file
        probe = [sys.executable, str(Path(__file__).with_name("probe.py"))]
        self._argv = enter(place, role, *probe, "--pairs", *pairs, "--port", str(port))
        self.attempts: list[Attempt] = []
        self.ended = 0.0

    def __enter__(self) -> "Load":
        with self._file.open("w") as out:
            self._process = subprocess.Popen(self._argv, stdout=out, stderr=out)
        try:
            self.answered_by_all(since=0.0)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.answered_by_all(since=time.monotonic())
        finally:
            self._end()

    def _end(self) -> None:
        self.ended = time.monotonic()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._read()

    def answered_by_all(self, since: float, timeout: float = 90.0) -> float:
        """Wait until each pair had an answer to an attempt that began after `since`; seconds until the last had."""

        def firsts() -> dict[str, float]:
            self._read()
            found: dict[str, float] = {}
            for attempt in self.attempts:
                if attempt.answered and attempt.began > since:
                    found.setdefault(attempt.pair, attempt.ended)
            return found if len(found) == len(self._pairs) else {}

        found = wait_until(firsts, what="an answer to every client", timeout=timeout, log=self._file)
        return max(found.values()) - since

    def go_on(self, seconds: float) -> None:
        """Let the clients ask until `seconds` of their own time have passed."""
        until = time.monotonic() + seconds
        wait_until(lambda: self._read() > until, what=f"{seconds} s of requests", timeout=seconds + 30)

    def gap(self, pair: str | None = None) -> float:
        """The longest time that one pair (or the worst) was without an answer, in seconds, until the block's end."""
        answers: dict[str, list[float]] = {asked: [] for asked in self._pairs if pair in (None, asked)}
        for attempt in self.attempts:
            if attempt.answered and attempt.pair in answers:
                answers[attempt.pair].append(attempt.ended)
        for asked, times in answers.items():
            assert times, f"{asked} was never answered"
            times.append(self.ended)
        return max(later - sooner for times in answers.values() for sooner, later in itertools.pairwise(times))

    def lost(self) -> int:
        """Requests that a patient client never got an answer to."""
        spent: dict[tuple[str, int], list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            spent[attempt.pair, attempt.request].append(attempt)
        return sum(tries[-1].ended - tries[0].began > PATIENCE_SECONDS for tries in spent.values())

    def requests(self) -> int:
        return len({(attempt.pair, attempt.request) for attempt in self.attempts})

    def undisturbed(self) -> bool:
        """Was no request lost, and did nobody wait as long as for a tunnel that is lost?

        One attempt of half a second may fail on a machine that is busy with something else.
        """
        return self.lost() == 0 and self.gap() < UNDISTURBED_SECONDS

    def _read(self) -> float:
        """Take in what was written; returns when the last attempt ended."""
        lines = self._file.read_text().splitlines()
        parsed = (json.loads(line) for line in lines if line.startswith("[") and line.endswith("]"))
        names = ("began", "ended", "pair", "request", "answered")
        self.attempts = [Attempt(**dict(zip(names, entry, strict=True))) for entry in parsed]
        return self.attempts[-1].ended if self.attempts else 0.0
