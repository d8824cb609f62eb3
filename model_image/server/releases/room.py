"""Whether a release fits beside those in memory: now, once the former ones have left, or once the canary gave way."""

from collections.abc import Callable

from model_image.server.logs import log
from model_image.server.releases.memory import Budget, Memory, device_budget, make_sure
from model_image.server.releases.need import Served
from model_image.server.releases.service import Service

GiveWay = Callable[[], None]
"""Ends the canary."""


class Room:
    """`waiting` is the release that waits for the memory of former ones whose requests are not done yet."""

    def __init__(self, budget: int | None, on_device: Callable[[], int] = device_budget) -> None:
        """`budget` is what all releases together may take of the machine's memory, in bytes; None: no bound anywhere.

        `on_device` gives the same for each GPU, and is asked only where models are on GPUs.
        """
        self.waiting: str | None = None
        self._budget = budget
        self._on_device = on_device
        self._told: str | None = None

    def has(
        self, release: str, need: Callable[[Served], Memory], *, beside: Service, give_way: GiveWay | None = None
    ) -> bool:
        """Whether there is room now; False: later. Raises `NoRoomError` where waiting is in vain.

        `give_way` is called first where `release` fits only without the canary.
        """
        if self._budget is None:
            return True
        served = beside.stable.served if beside.stable else Served()
        budget = Budget(self._budget, self._on_device() if served.on_device else None)
        needed = need(served)
        if give_way and beside.stable and beside.canary and not budget.holds(beside.memory + needed):
            make_sure(needed, held=beside.stable.memory, budget=budget)
            give_way()
        make_sure(needed, held=beside.memory, budget=budget)
        leaving = beside.leaving_memory
        if leaving == Memory() or budget.holds(beside.memory + leaving + needed):
            return True
        self._wait(release, leaving)
        return False

    def _wait(self, release: str, leaving: Memory) -> None:
        self.waiting = release
        if self._told != release:
            fields = {"release": release, "host_bytes": leaving.host, "device_bytes": leaving.device}
            log.warning("release waits for memory that former ones hold", extra={"fields": fields})
        self._told = release
