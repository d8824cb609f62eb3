"""A daemon that the agent starts, and starts again when it ends."""

import os
import subprocess
import time
from collections.abc import Mapping

GRACE_SECONDS = 5.0
# A daemon that dies at once must not keep a processor busy.
PAUSE_SECONDS = 2.0
# One answer that is missed may be a busy machine.
SILENT_TIMES = 3


class Child:
    """One program; its output goes where the agent's goes. It ends when the agent dies, however that happens."""

    def __init__(self, argv: list[str], env: Mapping[str, str] | None = None) -> None:
        self._name = argv[0]
        self._argv, self._env = ["setpriv", "--pdeathsig", "KILL", *argv], {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._silent = 0

    @property
    def pid(self) -> int:
        """0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def silent(self) -> bool:
        """Whether it gave no answer when it was last asked."""
        return self._silent > 0

    @property
    def may_start(self) -> bool:
        return time.monotonic() - self._started >= PAUSE_SECONDS

    def start(self) -> None:
        self._started, self._silent = time.monotonic(), 0
        self._process = subprocess.Popen(self._argv, env=self._env, stdin=subprocess.DEVNULL)

    def heard(self, answered: bool) -> None:
        """Count a question. One that misses several in a row hangs, and is ended: then it is started again."""
        self._silent = 0 if answered else self._silent + 1
        if self._silent >= SILENT_TIMES and self.alive:
            print(f"{self._name} (pid {self.pid}) gives no answer: it is ended", flush=True)
            self.kill()

    def kill(self) -> None:
        """End it at once, whatever state it is in."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it, by force after a while."""
        if self._process is None or not self.alive:
            return
        self._process.terminate()
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
