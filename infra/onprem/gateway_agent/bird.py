"""BIRD: started with the gateway's file, given a changed one, asked for its BGP sessions."""

from pathlib import Path

from . import tools
from .children import Child
from .plan import BIRD
from .reasons import Session, sessions


class Bird:
    def __init__(self, files: Path, run: Path) -> None:
        self._file, self._socket = files / BIRD, run / "bird.ctl"
        self.child = Child(["bird", "-f", "-c", str(self._file), "-s", str(self._socket)])

    def load(self) -> str | None:
        """Make it run the file as it is now; sessions that did not change stay.

        Returns why it refuses, "" when it does not, None when it gives no answer.
        """
        answer = tools.ask("birdcl", "-s", self._socket, "configure").stdout
        if " ready." not in answer:
            return None
        return "" if "Reconfigur" in answer else f"{BIRD} is refused: {' '.join(answer.splitlines()[-1:])}"

    def sessions(self) -> dict[str, Session] | None:
        """None when it gives no answer."""
        done = tools.ask("birdcl", "-s", self._socket, "show", "protocols", "all", seconds=tools.LOOK_SECONDS)
        self.child.heard(not done.returncode)
        return None if done.returncode else sessions(done.stdout)
