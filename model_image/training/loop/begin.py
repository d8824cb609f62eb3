"""The encoder that a run begins with: the one it is told, the packaged one, or that of the release that serves."""

from pathlib import Path

import torch

from model_image.base import MINILM, Base, find_base, of_release
from model_image.registry import Registry
from model_image.settings import ModelError
from model_image.training.data.errors import InputError
from model_image.training.loop.errors import step
from model_image.training.train.ranks import Ranks

STABLE = "stable"


def begin_with(name: str | None, registry: Registry, model: str, releases: Path, ranks: Ranks) -> Base:
    """The same at every rank; a release is downloaded into `releases`, once on every machine.

    `name` is as `find_base` has it, or "stable"; None is "minilm" where its package is installed, and "stable"
    elsewhere, as in the image. Raises `LoopError`.
    """
    with step("base"):
        try:
            base = _installed() if name is None else None if name == STABLE else find_base(name)
        except ModelError as error:
            raise InputError(str(error)) from error
        if ranks.differ(base.revision if base else STABLE):
            seen = base.revision if base else "that of the stable release"
            raise InputError(f"--base: {seen} here and another one at rank 0; give every machine the same")
        return base or _of_stable(registry, model, releases, ranks, asked=name is not None)


def _installed() -> Base | None:
    try:
        return find_base(MINILM)
    except ModelError:
        return None


def _of_stable(registry: Registry, model: str, releases: Path, ranks: Ranks, *, asked: bool) -> Base:
    digest = registry.channel(model).stable
    if ranks.differ(digest or ""):
        raise ModelError(f"channel {model}: moved while the ranks looked at it; start the run again")
    if digest is None:
        lacking = "" if asked else f"{MINILM} is not installed here, and "
        raise InputError(
            f"no encoder to begin with: {lacking}channel {model} has no stable release; publish release 0 first "
            "(scripts/publish --promote, where requirements.txt is installed), or name the folder of an encoder with "
            "--base"
        )
    if ranks.local == 0:
        registry.download(model, digest, releases / digest)
    ranks.sum([torch.zeros(1, device=ranks.device)])  # nobody reads before the download is whole
    return of_release(releases / digest, registry.manifest(model, digest).base_model)
