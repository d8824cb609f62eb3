"""Tunnels that are down are brought up: one attempt at a time for each, and why its last one failed."""

import subprocess
import time

from .charon import ATTEMPT_SECONDS, Charon
from .plan import Tunnel
from .reasons import Association, of_attempt

RETRY_SECONDS = 5.0
LONGEST_SECONDS = ATTEMPT_SECONDS + 4.0


class Attempts:
    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self._running: dict[str, tuple[subprocess.Popen[str], float]] = {}
        self._not_before: dict[str, float] = {}

    def step(self, charon: Charon, tunnel: Tunnel, held: Association | None, *, begin: bool) -> None:
        """Take one step towards a tunnel that is up, without waiting for it.

        charon goes on by itself while nobody answers, but gives up for good when the peer refuses.
        """
        self._take_in(tunnel)
        trying = tunnel.name in self._running or (held is not None and (held.encrypts or held.state == "CONNECTING"))
        early = time.monotonic() < self._not_before.get(tunnel.name, 0.0)
        if begin and not trying and not early:
            self._running[tunnel.name] = charon.initiate(tunnel), time.monotonic()

    def hurry(self, tunnel: Tunnel) -> None:
        """There is news: the next attempt need not wait."""
        self._not_before.pop(tunnel.name, None)

    def drop(self, tunnel: Tunnel) -> None:
        """End what is under way."""
        if tunnel.name in self._running:
            attempt, _ = self._running.pop(tunnel.name)
            attempt.kill()
            attempt.communicate()

    def _take_in(self, tunnel: Tunnel) -> None:
        """What an attempt said that has ended, or that a charon which hangs will never end."""
        if tunnel.name not in self._running:
            return
        attempt, began = self._running[tunnel.name]
        if attempt.poll() is None:
            if time.monotonic() - began < LONGEST_SECONDS:
                return
            attempt.kill()
        log = attempt.communicate()[0]
        if attempt.returncode:
            self.reasons[tunnel.name] = of_attempt(log, tunnel)
        self._not_before[tunnel.name] = time.monotonic() + RETRY_SECONDS
        del self._running[tunnel.name]
