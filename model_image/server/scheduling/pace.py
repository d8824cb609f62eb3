"""How fast each model computes on this machine, as measured while it serves. Not locked: its owner has a lock."""

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from model_image.server.backend import LoadedModel
from model_image.server.scheduling.turns import Lane

_GUESS = 1e-4
"""Seconds per token and worker before anything is known: between padded fp32 (4e-4) and packed bf16 (4e-5)."""

_WEIGHT = 0.2
"""Of the latest batch in the moving average: ten batches forget nine tenths."""

_SURPRISE = 4.0
"""A batch counts as at most this many times slower than expected: a machine that stood still once is not slow."""


class Pace:
    """Seconds per token and worker, by model. What is known of a model goes with it: a batch may outlive its release,
    and its measure must be neither kept for ever nor taken for that of a later model with the same id."""

    def __init__(self) -> None:
        self.full = 0
        self._measured: WeakKeyDictionary[LoadedModel, float] = WeakKeyDictionary()

    def learn(self, model: LoadedModel, tokens: int, seconds: float) -> None:
        """Take in that a batch took `seconds`. Those below a quarter of the `full` size are passed over: their cost is
        mostly fixed and says nothing of a backlog, which fills batches."""
        if tokens * 4 < self.full:
            return
        now, known = seconds / tokens, self._measured.get(model)
        if known is not None:
            now = known + _WEIGHT * (min(now, _SURPRISE * known) - known)
        self._measured[model] = now

    def of(self, model: LoadedModel) -> float:
        return self._measured.get(model, _GUESS)

    def seconds(self, lanes: Iterable[Lane]) -> tuple[float, float]:
        """Work of one worker that waits, and that runs: the latter as if it had just begun."""
        queued = running = 0.0
        for lane in lanes:
            each = self.of(lane.model)
            queued += lane.queued * each
            running += lane.running * each
        return queued, running
