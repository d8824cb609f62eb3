"""A release in memory: its models, its index and its products, each of which has answered once."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model_image.index import IndexFileError, VectorIndex, read_index
from model_image.layout import CATALOGUE, CROSS_ENCODER, ENCODER, INDEX, TASKS
from model_image.products import Products, ProductsError, read_products
from model_image.server.backend import Backend, LoadedModel
from model_image.server.releases.memory import Memory
from model_image.server.releases.need import WIDEST, Served, weights
from model_image.server.releases.warm import BadAnswerError, Clock, Learn, warm
from model_image.settings import Head, ModelError, read_settings
from model_image.signals.errors import SignalsError
from model_image.signals.ranking import Ranking, load_ranking

Forget = Callable[[LoadedModel], None]
"""Called with a model about to be closed."""


class BadReleaseError(Exception):
    """The folder is sealed correctly, yet cannot be served."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Release:
    """Loaded and warm. A request keeps the one it started with, whatever is swapped in meanwhile.

    `tasks` are the models that classify or regress, by name; `ranking` is the learned order of the tasks it names;
    `numbers` counts those in the files of all models.
    """

    digest: str
    encoder: LoadedModel
    index: VectorIndex
    products: Products
    cross_encoder: LoadedModel | None = None
    tasks: Mapping[str, LoadedModel] = field(default_factory=dict)
    ranking: Ranking | None = None
    numbers: int = 0
    forget: Forget = field(default=lambda model: None)

    @property
    def memory(self) -> Memory:
        """What is taken, about."""
        models = Memory.total(Memory(model.bytes, model.device_bytes) for model in self._models())
        signals = self.ranking.bytes if self.ranking else 0
        return models + Memory(self.index.bytes + self.products.bytes + signals)

    @property
    def served(self) -> Served:
        """How a number of the weights is kept; the widest where there is none to tell, or the next release's may be
        wider than these."""
        host = sum(model.bytes for model in self._models())
        device = sum(model.device_bytes for model in self._models())
        told = self.numbers and not any(model.mixed for model in self._models())
        return Served(min(WIDEST, (device or host) / self.numbers) if told else WIDEST, device > 0)

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Of each task; one that regresses has none."""
        return {name: model.settings.labels for name, model in self.tasks.items()}

    def close(self) -> None:
        """Free the models; no call comes after."""
        for model in self._models():
            self.forget(model)
            model.close()

    def _models(self) -> Iterator[LoadedModel]:
        yield self.encoder
        if self.cross_encoder is not None:
            yield self.cross_encoder
        yield from self.tasks.values()


def load_release(
    folder: Path,
    digest: str,
    backend: Backend,
    *,
    forget: Forget = lambda model: None,
    learn: Learn = lambda model, tokens, seconds: None,
    clock: Clock = time.perf_counter,
) -> Release:
    """Load the verified `folder`, check that its parts fit each other and let each answer once.

    `forget` is called when the release is closed, with each of its models before it is; `learn` with what each model
    took for its first answer by `clock`.

    Raises `BadReleaseError`, and `BackendLostError`, which says nothing of the release; what was loaded until then is
    closed.
    """
    loaded: dict[str, LoadedModel] = {}
    try:
        parts = _parts(folder)
        index, products = read_index(folder), read_products(folder / CATALOGUE)
        if len(products) != len(index):
            raise BadReleaseError(f"{CATALOGUE}: {len(products)} products, but {INDEX} has {len(index)} vectors")
        for name in parts:
            loaded[name] = backend.load(folder / name)
        release = Release(
            digest=digest,
            encoder=loaded[ENCODER],
            cross_encoder=loaded.get(CROSS_ENCODER),
            tasks={name.removeprefix(f"{TASKS}/"): loaded[name] for name in parts if name.startswith(f"{TASKS}/")},
            index=index,
            products=products,
            ranking=load_ranking(folder, index),
            numbers=weights(folder).numbers,
            forget=forget,
        )
        if (gives := release.encoder.settings.dimension) != index.dimension:
            raise BadReleaseError(f"{INDEX}: vectors of {index.dimension}, but the encoder gives {gives}")
        for name, model in loaded.items():
            rows = _warmed(name, model, backend.batch_tokens, learn, clock)
            if name == ENCODER:
                index.search(rows[0], 1)
                if release.ranking is not None:
                    release.ranking.answer_once(rows[0])
        return release
    except BaseException as error:
        for model in loaded.values():
            with suppress(Exception):
                model.close()
        if isinstance(error, (ModelError, IndexFileError, ProductsError, SignalsError, OSError)):
            raise BadReleaseError(str(error)) from error
        raise


def _parts(folder: Path) -> list[str]:
    """The model folders of a release, each with a head that its place allows."""
    allowed: dict[str, tuple[Head, ...]] = {ENCODER: ("embed",)}
    if (folder / CROSS_ENCODER).is_dir():
        allowed[CROSS_ENCODER] = ("rank",)
    if (folder / TASKS).is_dir():
        allowed |= {f"{TASKS}/{path.name}": ("classify", "regress") for path in sorted((folder / TASKS).iterdir())}
    for name, heads in allowed.items():
        if (head := read_settings(folder / name).head) not in heads:
            raise BadReleaseError(f"{name}: its head is {head!r}, expected {' or '.join(heads)}")
    return list(allowed)


def _warmed(name: str, model: LoadedModel, batch_tokens: int, learn: Learn, clock: Clock) -> np.ndarray:
    try:
        return warm(model, pairs=name == CROSS_ENCODER, batch_tokens=batch_tokens, learn=learn, clock=clock)
    except BadAnswerError as error:
        raise BadReleaseError(f"{name}: {error}") from error
