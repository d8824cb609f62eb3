"""The image's agent beside an instance's server: what the units of the user data do with it on a real machine.

``ready`` runs once, then ``watch`` until it returns, and ``gone`` after the server has ended.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from scripts.localcloud.aws.data_plane.user_data import AGENT_FILE, IMAGE_FILE, environment
from scripts.localcloud.console import UserError

COMMAND = ("python", "-m", "model_image.instance")
FIRST, LASTING, LAST = "ready", "watch", "gone"


class AgentRuntime(Protocol):
    """What an agent needs of containers."""

    def run_agent(
        self, name: str, instance: str, folder: Path, image: str, environment: Mapping[str, str], command: Sequence[str]
    ) -> None: ...
    def remove_container(self, name: str) -> None: ...


class Agent:
    """The agent of one instance. What it did last stands in the instance's folder: a new daemon goes on from there."""

    def __init__(self, instance: str, folder: Path, runtime: AgentRuntime) -> None:
        self.name = f"{instance}-agent"
        self._instance, self._folder, self._runtime = instance, folder, runtime
        self._verb_file = folder / "agent"
        self._next_start, self._pause = 0.0, 1.0

    @property
    def wanted(self) -> bool:
        """Whether the user data knows of an agent."""
        return self._file(AGENT_FILE).exists()

    def keep(self, now: float) -> str:
        """It does not run: start what comes next, after a pause that grows while it fails. Returns the problem."""
        if now < self._next_start:
            return ""
        self._next_start, self._pause = now + self._pause, min(2 * self._pause, 30.0)
        try:
            self._run(LASTING if self._last() else FIRST)
        except (UserError, OSError) as error:
            return f"agent: {error}"
        return ""

    def watches(self) -> bool:
        """Whether what was started last returns by itself when the group ends the instance."""
        return self._last() == LASTING

    def stop(self) -> None:
        self._runtime.remove_container(self.name)

    def leave(self, running: bool) -> bool:
        """After the server's end: run ``gone`` once. True when it has ended, or cannot run: the hook has a time limit
        of its own."""
        if self._last() == LAST:
            return not running
        try:
            self._run(LAST)
        except (UserError, OSError):
            return True
        return False

    def _run(self, verb: str) -> None:
        image = self._file(IMAGE_FILE).read_text().strip()
        words = environment(self._file(AGENT_FILE).read_text(), AGENT_FILE)
        self._runtime.run_agent(self.name, self._instance, self._folder, image, words, (*COMMAND, verb))
        self._verb_file.write_text(verb)

    def _last(self) -> str:
        return self._verb_file.read_text() if self._verb_file.exists() else ""

    def _file(self, path: str) -> Path:
        return self._folder / "root" / path.lstrip("/")
