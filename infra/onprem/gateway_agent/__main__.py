"""`run` a gateway from its files, or tell the `status` of the one that runs.

For probes: `ready` succeeds when a tunnel is up at least, and `alive` when the agent looks after its daemons.
"""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from . import serve
from .gateway import Gateway

PERIOD_SECONDS = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="gateway_agent", description=__doc__)
    parser.add_argument("verb", choices=("run", "status", "ready", "alive"))
    parser.add_argument("--files", type=Path, default=Path("/etc/vpn"), help="folder with gateway.json and the others")
    parser.add_argument("--run", type=Path, default=Path("/run/vpn"), help="folder for sockets and the status")
    parser.add_argument("--metrics", metavar="HOST:PORT", help="serve Prometheus metrics there")
    options = parser.parse_args()
    return _run(options) if options.verb == "run" else _tell(options.run, options.verb)


def _tell(run: Path, verb: str) -> int:
    """Print a line per tunnel. `status` returns 0 when all are up, 1 for one at least, 2 for none or no agent."""
    try:
        statuses = serve.read(run)
    except OSError as error:
        print(error)
        return 2
    print(*statuses, sep="\n")
    up = [status.bgp for status in statuses]
    if verb == "alive" or (verb == "ready" and any(up)):
        return 0
    return 0 if all(up) else 1 if any(up) else 2


def _run(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _leave)
    options.run.mkdir(parents=True, exist_ok=True)
    try:
        gateway = Gateway(options.files, options.run)
    except (OSError, ValueError) as error:
        print(f"{options.files}: {error}", file=sys.stderr)
        return 2
    if options.metrics:
        serve.listen(options.metrics, options.run)
    told: set[str] = set()
    try:
        while True:
            lines = _round(gateway, options.run)
            print(*sorted(lines - told), sep="\n", end="\n" if lines - told else "", flush=True)
            told = lines
            time.sleep(PERIOD_SECONDS)
    except SystemExit:
        return 0
    finally:
        gateway.stop()
        (options.run / serve.FILE).unlink(missing_ok=True)


def _round(gateway: Gateway, run: Path) -> set[str]:
    """What there is to tell. A round that fails is told and tried again: the daemons go on meanwhile."""
    try:
        seen = time.time()
        statuses = gateway.step()
        serve.write(run, statuses, seen)
    except Exception as error:  # also what odd answers of the daemons lead to
        return {f"{type(error).__name__}: {error}"}
    return {str(status) for status in statuses}


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
