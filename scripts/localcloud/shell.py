"""Running a command and being told clearly when it fails."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from scripts.localcloud.console import UserError


def run(
    argv: Sequence[str | Path],
    *,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    log: Path | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a command and return it with its output. With ``log``, all output is appended there as it comes instead.

    A logged command is a long one: it ends when this process dies (`bound`).

    Raises UserError with the command and the end of its output when it fails and ``check`` is set.
    Secrets go through ``env`` or ``stdin``, never through ``argv``: the message repeats the command.
    """
    command = [str(word) for word in argv]
    environment = {**os.environ, **(env or {})}
    try:
        if log:
            done, output = _logged(command, environment, cwd, stdin, log)
        else:
            done = subprocess.run(command, env=environment, cwd=cwd, input=stdin, text=True, capture_output=True)
            output = done.stdout + done.stderr
    except FileNotFoundError:
        raise UserError(f"{command[0]}: command not found") from None
    if check and done.returncode:
        tail = "\n".join(output.strip().splitlines()[-15:])
        where = f"\n(all of it: {log})" if log else ""
        raise UserError(f"`{' '.join(command)}` ended with {done.returncode}:\n{tail}{where}")
    return done


def bound(command: list[str]) -> list[str]:
    """The command, told to end (SIGTERM) when this process dies: nothing goes on behind the next run's back."""
    return ["setpriv", "--pdeathsig", "TERM", *command]


def _logged(
    command: list[str], environment: dict[str, str], cwd: Path | None, stdin: str | None, log: Path
) -> tuple[subprocess.CompletedProcess[str], str]:
    with log.open("a") as file:
        print("$", *command, file=file, flush=True)
        began = file.tell()
        done = subprocess.run(
            bound(command), env=environment, cwd=cwd, input=stdin, text=True, stdout=file, stderr=file
        )
    with log.open(errors="replace") as file:
        file.seek(began)
        return done, file.read()
