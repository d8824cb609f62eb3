"""A learned ranker: boosted trees in LightGBM's text format, and the features it was fitted on."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from model_image.signals.calibration import EVENTS, SCHEMA, Calibration
from model_image.signals.errors import SignalsError
from model_image.signals.features import FEATURES, VERSION

if TYPE_CHECKING:
    import lightgbm

_HEADS = ("tree\n", "version=v")


class _Described(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """<task>.json. `digest` is the text's sha256: LightGBM's reader trusts what it reads. `calibration` is of these
    trees' scores alone, thus in the same file; servers from before there was one read past it."""

    task: str
    version: int
    features: tuple[str, ...]
    digest: str
    calibration: Calibration | None = None


class Ranker:
    """Scores of products, higher is better; only their order within one request means something, and what
    `calibration` makes of them where there is one."""

    def __init__(
        self, task: str, booster: "lightgbm.Booster", size: int, calibration: Calibration | None = None
    ) -> None:
        self.task = task
        self.calibration = calibration
        self.bytes = 2 * size
        """Memory taken, about: trees are about twice their text."""
        self._booster = booster
        self._width = len(FEATURES[task])

    def predict(self, features: np.ndarray) -> np.ndarray:
        """float32 [rows] of float32 [rows, features], on this thread. Raises `SignalsError` for another width."""
        if features.ndim != 2 or features.shape[1] != self._width:
            raise SignalsError(f"{self.task}: features of shape {features.shape}, expected [rows, {self._width}]")
        if not len(features):
            return np.empty(0, dtype=np.float32)
        return np.asarray(self._booster.predict(features, num_threads=1), dtype=np.float32)


def save_ranker(folder: Path, task: str, text: str, calibration: Calibration | None = None) -> None:
    """Write the trees `text`, fitted on the features of `task` as this code computes them, into `folder`, with the
    `calibration` of their scores."""
    folder.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    described = _Described(
        task=task,
        version=VERSION,
        features=FEATURES[task],
        digest=sha256(data).hexdigest(),
        calibration=calibration,
    )
    (folder / f"{task}.txt").write_bytes(data)
    (folder / f"{task}.json").write_bytes(msgspec.json.encode(described) + b"\n")


def load_ranker(folder: Path, task: str) -> Ranker:
    """The ranker of `task`, a key of FEATURES. Raises `SignalsError` naming the file, what is seen and the way out."""
    path = folder / f"{task}.json"
    try:
        described = msgspec.json.decode(path.read_bytes(), type=_Described)
        data = (folder / f"{task}.txt").read_bytes()
    except (OSError, msgspec.MsgspecError) as error:
        raise SignalsError(f"{path}: not a ranker ({error}); train the release again") from error
    _check(path, described, task, data)
    booster = _booster(path, data.decode(errors="replace"), len(FEATURES[task]))
    return Ranker(task, booster, len(data), described.calibration)


def _check(path: Path, described: _Described, task: str, data: bytes) -> None:
    expected = (task, VERSION, FEATURES[task])
    if (seen := (described.task, described.version, described.features)) != expected:
        raise SignalsError(f"{path}: fitted for {seen}, this code computes {expected}; train the release again")
    if (digest := sha256(data).hexdigest()) != described.digest:
        raise SignalsError(f"{path}: digest of {task}.txt is {digest}, expected {described.digest}; copy it again")
    one = described.calibration
    if one is not None and not (one.sound and (one.task, one.event) == (task, EVENTS[task])):
        raise SignalsError(
            f"{path}: calibration {one}, expected schema {SCHEMA}, task {task!r}, event {EVENTS[task]!r}, a finite "
            "slope above 0 and a finite intercept; train the release again"
        )


def _booster(path: Path, text: str, width: int) -> "lightgbm.Booster":
    import lightgbm

    if not text.startswith("".join(_HEADS)):
        raise SignalsError(f"{path}: {text[:20]!r} begins the trees, expected LightGBM's text; train the release again")
    try:
        booster = lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise SignalsError(f"{path}: {error}; train the release again") from error
    if booster.num_feature() != width or not booster.num_trees():
        raise SignalsError(
            f"{path}: {booster.num_trees()} trees of {booster.num_feature()} features, expected some of {width}; "
            "train the release again"
        )
    return booster
