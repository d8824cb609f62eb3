"""A release in memory: its models, its index and its products, each of which has answered once."""

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
from model_image.settings import Head, ModelError, read_settings

_WARM = ("warm", "a somewhat longer text for the second half of a pair")


Forget = Callable[[LoadedModel], None]
"""Called with a model about to be closed."""


class BadReleaseError(Exception):
    """The folder is sealed correctly, yet cannot be served."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Release:
    """Loaded and warm. A request keeps the one it started with, whatever is swapped in meanwhile.

    `tasks` are the models that classify or regress, by name; `numbers` counts those in the files of all models.
    """

    digest: str
    encoder: LoadedModel
    index: VectorIndex
    products: Products
    cross_encoder: LoadedModel | None = None
    tasks: Mapping[str, LoadedModel] = field(default_factory=dict)
    numbers: int = 0
    forget: Forget = field(default=lambda model: None)

    @property
    def memory(self) -> Memory:
        """What is taken, about."""
        models = Memory.total(Memory(model.bytes, model.device_bytes) for model in self._models())
        return models + Memory(self.index.bytes + self.products.bytes)

    @property
    def served(self) -> Served:
        """How a number of the weights is kept; the widest where there is none to tell."""
        host = sum(model.bytes for model in self._models())
        device = sum(model.device_bytes for model in self._models())
        return Served(min(WIDEST, (device or host) / self.numbers) if self.numbers else WIDEST, device > 0)

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


def load_release(folder: Path, digest: str, backend: Backend, *, forget: Forget = lambda model: None) -> Release:
    """Load the verified `folder`, check that its parts fit each other and let each answer once.

    `forget` is called when the release is closed, with each of its models before it is.

    Raises `BadReleaseError`; what was loaded until then is closed.
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
            numbers=weights(folder).numbers,
            forget=forget,
        )
        if (gives := release.encoder.settings.dimension) != index.dimension:
            raise BadReleaseError(f"{INDEX}: vectors of {index.dimension}, but the encoder gives {gives}")
        _answer_once(release, loaded)
        return release
    except BaseException as error:
        for model in loaded.values():
            with suppress(Exception):
                model.close()
        if isinstance(error, (ModelError, IndexFileError, ProductsError, OSError)):
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


def _answer_once(release: Release, models: Mapping[str, LoadedModel]) -> None:
    for name, model in models.items():
        first, second = model.tokenize(_WARM)
        sequences = [model.single(first), model.pair(first, second) if name == CROSS_ENCODER else model.single(second)]
        found = model.run(sequences)
        if found.shape != (2, model.settings.outputs) or not np.isfinite(found).all():
            raise BadReleaseError(
                f"{name}: answers {found.shape} with {np.isfinite(found).sum()} finite numbers, "
                f"expected {(2, model.settings.outputs)}, all finite"
            )
        if name == ENCODER:
            release.index.search(found[0], 1)
