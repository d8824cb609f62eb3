"""Servers as processes of their own: started on a free port, asked until they answer, and always ended."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.console import UserError
from scripts.localcloud.serving_bench.wire import HOST, ask
from scripts.localcloud.shell import bound

_START_SECONDS = 120.0
_END_SECONDS = 15.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server. `first_answer` is the time from its start to the end of its first answer, in seconds."""

    pid: int
    port: int
    first_answer: float

    def memory(self) -> int:
        """Resident bytes of the process and its children."""
        return sum(_resident(pid) for pid in (self.pid, *_children(self.pid)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    argv: Sequence[str], *, port: int, env: Mapping[str, str], log: Path, first: bytes, cwd: Path | None = None
) -> Iterator[Server]:
    """Start `argv`, ask the request `first` until it is answered with 200, and end the process at the end.

    Raises UserError with the log's last lines when it ends by itself or does not answer in 120 s.
    """
    with log.open("ab") as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            bound(list(argv)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env={**os.environ, **env},
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the server
        )
    try:
        while not _answers(port, first):
            waited = time.perf_counter() - began
            if child.poll() is not None or waited > _START_SECONDS:
                ended = f"ended with {child.returncode}" if child.returncode is not None else "did not answer"
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
                raise UserError(f"{' '.join(argv[:4])} ... {ended} after {waited:.0f} s; last lines of {log}:\n{tail}")
            time.sleep(_POLL_SECONDS)
        yield Server(pid=child.pid, port=port, first_answer=time.perf_counter() - began)
    finally:
        end(child)


def end(child: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL to what is left of its session after 15 s."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_END_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _answers(port: int, request: bytes) -> bool:
    try:
        return ask(port, request).status == 200
    except OSError:
        return False


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _children(pid: int) -> list[int]:
    """Direct and further children that live."""
    try:
        found = [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return found + [grand for child in found for grand in _children(child)]
