"""A step of the loop that did not succeed."""

from collections.abc import Iterator
from contextlib import contextmanager

from model_image.artefact import ArtefactError
from model_image.channel import ChannelError
from model_image.index import IndexFileError
from model_image.products import ProductsError
from model_image.registry_errors import RegistryError
from model_image.settings import ModelError
from model_image.signals.errors import SignalsError
from model_image.stores import StoreError
from model_image.tables import TableError
from model_image.training.data.errors import InputError, RunError
from model_image.training.dataset import DatasetError
from model_image.training.evaluate.errors import MeasureError
from model_image.training.train.errors import TrainError, TrainInputError

_BAD_INPUT = (InputError, TrainInputError, DatasetError, TableError)
_FAILED = (
    ArtefactError, ChannelError, IndexFileError, MeasureError, ModelError, OSError, ProductsError, RegistryError,
    RunError, SignalsError, StoreError, TrainError, ValueError,
)  # fmt: skip


class LoopError(Exception):
    """The message begins with the step; `code` is the exit code."""

    def __init__(self, step: str, error: Exception) -> None:
        super().__init__(f"{step}: {error}")
        self.code = 2 if isinstance(error, _BAD_INPUT) else 1


@contextmanager
def step(name: str) -> Iterator[None]:
    """Whatever a step may raise as `LoopError`."""
    try:
        yield
    except (*_BAD_INPUT, *_FAILED) as error:
        raise LoopError(name, error) from error
