"""The health checkers of the local internet: run every declared check at its interval and write what they found."""

import argparse
import asyncio
import random
import sys
from pathlib import Path

from scripts.localcloud.dns import health
from scripts.localcloud.dns.probe import probe
from scripts.localcloud.dns.view import HealthCheck, View, from_json
from scripts.localcloud.dns.zone import Resolver
from scripts.localcloud.files import Watched, write_json

LOOK_SECONDS = 1.0  # how often the declared checks are read again


class Checkers:
    """One task per declared check; a check whose declaration changed starts anew."""

    def __init__(self, view: Path, status: Path) -> None:
        self._view, self._file = Watched(view, from_json), status
        self._tasks: dict[HealthCheck, asyncio.Task[None]] = {}
        self._status: dict[HealthCheck, health.Status] = {}

    async def run(self) -> None:
        while True:
            self._follow(self._view.read())
            await asyncio.sleep(LOOK_SECONDS)

    def _follow(self, view: View) -> None:
        declared = set(view.health_checks)
        for check in set(self._status) - declared:
            self._tasks.pop(check).cancel()
            del self._status[check]
        for check in declared - set(self._status):
            self._status[check] = health.Status()
            self._tasks[check] = asyncio.create_task(self._watch(check))
        self._write()

    async def _watch(self, check: HealthCheck) -> None:
        if check.type not in health.EXECUTED:
            reason = f"type {check.type} is not executed here, it counts as passing"
            self._status[check] = health.Status(reason=reason)
            return
        clock = asyncio.get_running_loop().time
        due = clock()
        while not check.disabled:
            passed, reason = await probe(check, self._resolve)
            before = self._status[check]
            self._status[check] = health.observe(before, passed, reason, check.threshold)
            if before.passing != self._status[check].passing:
                print(f"{check.id}: {'passing' if passed else 'failing'}: {reason}", flush=True)
            self._write()
            due = max(due + check.interval, clock())
            await asyncio.sleep(due - clock())

    def _resolve(self, name: str) -> tuple[str, ...]:
        resolver = Resolver(view=self._view.read(), health=self._statuses(), random=random.random)
        return tuple(line.value for line in resolver.answer(name.lower(), "A").lines if line.type == "A")

    def _statuses(self) -> dict[str, bool]:
        return {check.id: health.healthy(check, status) for check, status in self._status.items()}

    def _write(self) -> None:
        write_json(
            self._file,
            {
                check.id: {
                    "healthy": health.healthy(check, status),
                    "checked": status.checked,
                    "reason": "disabled" if check.disabled else status.reason,
                }
                for check, status in self._status.items()
            },
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--view", type=Path, required=True, help="JSON file with the declared checks")
    parser.add_argument("--status", type=Path, required=True, help="JSON file to write")
    options = parser.parse_args()
    asyncio.run(Checkers(options.view, options.status).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
