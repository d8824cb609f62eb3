"""From a prepared dataset and trained models to the folder of a release: everything that answers, sealed together."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from model_image import artefact, release_zero
from model_image.artefact import Manifest
from model_image.base import FILES, Base
from model_image.evaluation import Evaluation, encode
from model_image.layout import BEHAVIOUR, CROSS_ENCODER, ENCODER, EVALUATION, TASKS
from model_image.revisions import training_revision
from model_image.server.backend import Backend
from model_image.settings import SETTINGS
from model_image.signals.behaviour import save_behaviour
from model_image.training.dataset import Dataset

MODEL_FILES = (*FILES, SETTINGS)

Note = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Models:
    """The encoder to begin with, and folders of trained models: an `encoder` takes its place. `tasks` are by name."""

    base: Base
    encoder: Path | None = None
    cross_encoder: Path | None = None
    tasks: Mapping[str, Path] = field(default_factory=dict)

    @property
    def tuned(self) -> bool:
        """Whether the encoder was trained on a shop's data, now or before."""
        return self.encoder is not None or self.base.tuned


def build(dataset: Dataset, folder: Path, models: Models, backend: Backend, note: Note = lambda text: None) -> None:
    """Fill the empty `folder` with a release that is not sealed yet: models, catalogue, index, signals and rankers.

    Raises `DatasetError`, `ModelError`, and OSError for a disk that is full. About 100 products per second on 2 cores.
    """
    from model_image.embed import embed_texts
    from model_image.training.ranker.build import write_signals
    from model_image.training.ranker.tables import read_catalogue

    products = read_catalogue(dataset)
    release_zero.write_catalogue(folder, products)
    if models.encoder is None:
        models.base.copy(folder / ENCODER)
    else:
        copy_model(models.encoder, folder / ENCODER)
    if models.cross_encoder is not None:
        copy_model(models.cross_encoder, folder / CROSS_ENCODER)
    for name, source in models.tasks.items():
        copy_model(source, folder / TASKS / name)
    encoder = backend.load(folder / ENCODER)
    embed = partial(embed_texts, encoder, batch_tokens=backend.batch_tokens, workers=backend.workers)
    try:
        release_zero.write_vectors(
            folder, embed, products, len(products), lambda done, total: note(f"embedded {done:,} of {total:,} products")
        )
        write_signals(folder, products, dataset, embed=embed, say=note, tuned=models.tuned)
    finally:
        encoder.close()


def refresh(folder: Path, dataset: Dataset) -> None:
    """Bring what customers did up to the last event. The rankers stay as measured: they read the same tables, which
    now say what is bought today. Without it a release would know nothing of the days that it was measured on."""
    if not (folder / BEHAVIOUR).exists():
        return
    from model_image.training.ranker.behaviour import learn_behaviour
    from model_image.training.ranker.tables import read_bought, read_catalogue

    products = read_catalogue(dataset)
    bought = read_bought(dataset, {product.product_id: row for row, product in enumerate(products)}).entries
    behaviour = learn_behaviour(bought, rows=len(products), end=int(bought.day.max()) + 1)
    save_behaviour(behaviour, folder / BEHAVIOUR)


def add_cross_encoder(release: Path, folder: Path, model: Path) -> None:
    """Fill the new `folder` with the release that is built in `release`, and the cross-encoder `model`: nothing else in
    a release depends on it. The other files are links, which take no room; only one of the two may be sealed."""
    shutil.copytree(release, folder, copy_function=os.link)
    copy_model(model, folder / CROSS_ENCODER)


def seal(folder: Path, dataset: Dataset, models: Models, *, model: str, evaluation: Evaluation | None) -> Manifest:
    """Put what was measured into the built `folder`, and seal it."""
    trained = [name for name, there in (("encoder", models.encoder), ("cross-encoder", models.cross_encoder)) if there]
    if evaluation is not None:
        (folder / EVALUATION).write_bytes(encode(evaluation))
    return artefact.seal(
        folder,
        model=model,
        base_model=models.base.trained(*trained, *models.tasks),
        data_revision=dataset.prepared.revision,
        code_revision=training_revision(),
    )


def copy_model(source: Path, target: Path) -> None:
    """The files of a model that a server reads, and nothing else of its folder."""
    target.mkdir(parents=True)
    for name in MODEL_FILES:
        shutil.copyfile(source / name, target / name)
