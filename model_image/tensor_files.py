"""Files of tensors. safetensors tells of a full disk by an error of its own, which no caller looks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError


@contextmanager
def disk_told(path: Path) -> Iterator[None]:
    """Raise OSError for what safetensors could not write to `path`."""
    try:
        yield
    except SafetensorError as error:
        raise OSError(f"{path}: cannot be written ({error})") from error
