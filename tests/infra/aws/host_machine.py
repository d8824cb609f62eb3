"""A machine for the host's scripts: they run for real, what they call only writes down that it was called."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HOST = Path(__file__).parents[3] / "infra/aws/host"
# Nothing else of this machine is on the scripts' PATH: a `mount` that no test stands in for is not found.
REAL = ("bash", "awk", "date", "grep")


@dataclass(frozen=True)
class Machine:
    folder: Path

    def __post_init__(self) -> None:
        self._bin.mkdir(parents=True)
        for name in REAL:
            (self._bin / name).symlink_to(str(shutil.which(name)))

    @property
    def _bin(self) -> Path:
        return self.folder / "bin"

    def has(self, *names: str, body: str = "") -> None:
        """Commands of this machine, and what they do (bash)."""
        for name in names:
            program = self._bin / name
            program.unlink(missing_ok=True)
            program.write_text(f'#!{self._bin}/bash\necho "${{0##*/}} $*" >>"{self.folder}/called"\n{body}\n')
            program.chmod(0o755)

    def has_real(self, *names: str) -> None:
        for name in names:
            (self._bin / name).symlink_to(str(shutil.which(name)))

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._bin / "bash", HOST / script, *arguments],
            env={"PATH": str(self._bin), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def called(self, *names: str) -> list[str]:
        """The calls so far, in order; of these commands only, when any are named."""
        log = self.folder / "called"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if not names or line.split()[0] in names]

    def forget(self) -> None:
        (self.folder / "called").unlink(missing_ok=True)
