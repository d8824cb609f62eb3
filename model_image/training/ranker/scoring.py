"""A fitted ranker before it is a file of a release."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from model_image.signals.ranker import load_ranker, save_ranker

Score = Callable[[np.ndarray], np.ndarray]
"""Features float32 [rows, features] to scores float32 [rows]."""


def scorer(text: str, task: str) -> Score:
    """The trees `text` exactly as a server will load them: through the files."""
    with TemporaryDirectory() as folder:
        save_ranker(Path(folder), task, text)
        return load_ranker(Path(folder), task).predict
