"""A built release of the packaged encoder, and the data it is of."""

from tests.model_image.training.evaluate.conftest import prepare

__all__ = ["prepare"]
