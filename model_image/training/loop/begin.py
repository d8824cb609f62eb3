"""The encoder that a run begins with: the one it is told, the packaged one, or that of the release that serves."""

from pathlib import Path

import torch

from model_image.base import MINILM, Base, find_base, of_release
from model_image.registry import Registry
from model_image.settings import ModelError
from model_image.training.loop.errors import step
from model_image.training.train.ranks import Ranks

STABLE = "stable"


def begin_with(name: str | None, registry: Registry, model: str, releases: Path, ranks: Ranks) -> Base:
    """The same at every rank; a release is downloaded into `releases`, once on every machine.

    `name` is as `find_base` has it, or "stable"; None is "minilm" where its package is installed, and "stable"
    elsewhere, as in the image. Raises `LoopError`.
    """
    with step("base"):
        if ranks.local == 0:
            _found(name, registry, model, releases)
        ranks.sum([torch.zeros(1, device=ranks.device)])  # nobody reads before the download is whole
        base = _found(name, registry, model, releases)
        if ranks.differ(base.revision):
            raise ModelError("the stable release is another one than a moment before; start the run again")
        return base


def _found(name: str | None, registry: Registry, model: str, releases: Path) -> Base:
    if name not in (None, STABLE):
        return find_base(str(name))
    if name is None:
        try:
            return find_base(MINILM)
        except ModelError:
            pass
    digest = registry.channel(model).stable
    if digest is None:
        raise ModelError(
            f"no encoder to begin with: {MINILM} is not installed here, and channel {model} has no stable release; "
            "publish release 0 first (scripts/publish --promote, where requirements.txt is installed), or name the "
            "folder of an encoder with --base"
        )
    manifest = registry.download(model, digest, releases / digest)
    return of_release(releases / digest, manifest.base_model)
