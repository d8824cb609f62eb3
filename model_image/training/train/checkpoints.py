"""What a killed run goes on from: weights and the optimizer's state as safetensors, the rest as JSON, no pickle.

checkpoint-<step>/weights.safetensors, optimizer.safetensors, state.json    the last two, each renamed into place
best-<step>.safetensors                                                     the weights with the best metric so far

Random numbers and the order of batches are functions of the seed and the step, so the step says all of them.
"""

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from safetensors import SafetensorError
from torch import Tensor

from model_image.training.disk import sync
from model_image.training.train.errors import TrainError, TrainInputError
from model_image.training.train.files import packed, read_tensors, write_whole
from model_image.training.train.ranks import Ranks

_KEPT = 2
_WEIGHTS, _OPTIMIZER, _STATE = "weights.safetensors", "optimizer.safetensors", "state.json"


class State(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a run is, after `step` steps. `best` is the metric at `best_step`, None before any evaluation; `first` is
    it before training; `waited` evaluations since were no better. `made_of` is what a run must share to go on here."""

    step: int = 0
    first: float | None = None
    best: float | None = None
    best_step: int = -1
    waited: int = 0
    made_of: dict[str, str] = {}


class Checkpoints:
    """The checkpoints in `folder`. `note` is told what is left aside."""

    def __init__(self, folder: Path, made_of: Mapping[str, str], note: Callable[[str], None]) -> None:
        self.folder = folder
        self._made_of = dict(made_of)
        self._note = note

    def latest(self) -> int:
        """The last step that can be gone on from, 0 without any; a damaged checkpoint is passed over.

        Raises `TrainInputError` when it is of another run, with what differs.
        """
        for step in reversed(self._steps()):
            try:
                state, _, _ = self.load(step)
            except TrainError as error:
                self._note(f"{error}; passed over")
                continue
            for key in sorted(self._made_of.keys() | state.made_of.keys()):
                there, here = state.made_of.get(key), self._made_of.get(key)
                if there != here:
                    raise TrainInputError(
                        f"{self._place(step)}: {key} was {there}, now it is {here}: not the same run; "
                        "go on with the same settings and data, or begin anew in another --output"
                    )
            return step
        return 0

    def load(self, step: int) -> tuple[State, dict[str, Tensor], dict[str, Tensor]]:
        """State, weights, and the optimizer's tensors. Raises `TrainError`."""
        place = self._place(step)
        try:
            state = msgspec.json.decode((place / _STATE).read_bytes(), type=State)
            return state, read_tensors(place / _WEIGHTS), read_tensors(place / _OPTIMIZER)
        except (OSError, msgspec.MsgspecError, SafetensorError) as error:
            raise TrainError(f"{place}: cannot be read: {error}") from error

    def load_at_all(self, step: int, ranks: Ranks) -> tuple[State, dict[str, Tensor], dict[str, Tensor]]:
        """`load` at every rank. Raises `TrainInputError` at all of them where one has another, or none."""
        found = None
        with suppress(TrainError):
            found = self.load(step)
        if ranks.differ("" if found is None else sha256(packed(found[1])).hexdigest()) or found is None:
            told = "is not the same at every rank; --output needs a shared folder, the same for all machines of the run"
            raise TrainInputError(f"{self._place(step)}: {told}")
        return found

    def save(self, state: State, weights: Mapping[str, Tensor], optimizer: Mapping[str, Tensor]) -> None:
        """Write a checkpoint whole or not at all, then remove those before the last two. Raises `TrainError`."""
        place = self._place(state.step)
        part = place.with_suffix(".part")
        state = msgspec.structs.replace(state, made_of=self._made_of)
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            write_whole(part / _WEIGHTS, packed(weights))
            write_whole(part / _OPTIMIZER, packed(optimizer))
            write_whole(part / _STATE, msgspec.json.encode(state))
            shutil.rmtree(place, ignore_errors=True)
            part.rename(place)
            sync(self.folder)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise self._full(f"the checkpoint of step {state.step}", error) from error
        self._prune(state)

    def save_best(self, step: int, weights: Mapping[str, Tensor]) -> None:
        """Raises `TrainError`."""
        path = self._best(step)
        part = path.with_suffix(".part")
        try:
            write_whole(part, packed(weights))
            part.rename(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise self._full(f"the best weights, of step {step},", error) from error

    def load_best(self, step: int) -> dict[str, Tensor]:
        """Raises `TrainError`."""
        try:
            return read_tensors(self._best(step))
        except (OSError, SafetensorError) as error:
            raise TrainError(f"{self._best(step)}: cannot be read: {error}; begin anew") from error

    def _full(self, what: str, error: OSError) -> TrainError:
        kept = self._steps()
        left = f"that of step {kept[-1]} is whole" if kept else "there is none before it"
        return TrainError(f"{self.folder}: {what} cannot be written ({error}); {left}: make room, then --resume")

    def _prune(self, state: State) -> None:
        kept = self._steps()[-_KEPT:]
        for step in self._steps()[:-_KEPT]:
            shutil.rmtree(self._place(step), ignore_errors=True)
        needed = {self._best(state.best_step)}
        for step in kept:
            try:
                needed.add(self._best(msgspec.json.decode((self._place(step) / _STATE).read_bytes())["best_step"]))
            except (OSError, KeyError, msgspec.MsgspecError):
                continue
        for path in set(self.folder.glob("best-*.safetensors")) - needed:
            path.unlink(missing_ok=True)

    def _steps(self) -> list[int]:
        names = [path.name.removeprefix("checkpoint-") for path in self.folder.glob("checkpoint-*")]
        return sorted(map(int, filter(str.isdecimal, names)))

    def _place(self, step: int) -> Path:
        return self.folder / f"checkpoint-{step}"

    def _best(self, step: int) -> Path:
        return self.folder / f"best-{step}.safetensors"
