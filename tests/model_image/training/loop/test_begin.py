"""The encoder that a run begins with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from model_image import base
from model_image.base import find_base
from model_image.registry import Registry
from model_image.training.loop.begin import begin_with
from model_image.training.loop.errors import LoopError
from model_image.training.train.ranks import Ranks

MakeRelease = Callable[..., Path]


@pytest.fixture
def stable(make_release: MakeRelease, folder_registry: Registry) -> str:
    digest = folder_registry.publish(make_release("red shoes"))
    folder_registry.promote("search", digest, who="test", why="test")
    return digest


@pytest.mark.parametrize(("name", "installed"), [("stable", True), ("stable", False), (None, False)])
def test_that_of_the_release_that_serves_where_it_is_asked_for_or_nothing_is_installed(
    folder_registry: Registry,
    stable: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str | None,
    installed: bool,
) -> None:
    if not installed:
        monkeypatch.setattr(base, "PACKAGE", "no-such-weights")
    found = begin_with(name, folder_registry, "search", tmp_path / "releases", Ranks())
    assert found.folder == tmp_path / "releases" / stable / "encoder"
    assert found.revision == folder_registry.manifest("search", stable).base_model


def test_the_packaged_one_where_it_is_installed(folder_registry: Registry, stable: str, tmp_path: Path) -> None:
    assert begin_with(None, folder_registry, "search", tmp_path / "releases", Ranks()) == find_base()
    assert not (tmp_path / "releases").exists()


def test_without_any_the_ways_to_have_one_are_told(
    folder_registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LoopError, match=r"base: no encoder to begin with: channel search has no stable") as failed:
        begin_with("stable", folder_registry, "search", tmp_path / "releases", Ranks())
    assert failed.value.code == 2
    monkeypatch.setattr(base, "PACKAGE", "no-such-weights")
    with pytest.raises(LoopError, match=r"minilm is not installed here, and .*scripts/publish --promote.*--base"):
        begin_with(None, folder_registry, "search", tmp_path / "releases", Ranks())


def test_a_folder_that_is_not_there_is_bad_input(folder_registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(LoopError, match=r"base: --base \./nowhere: neither a folder nor") as failed:
        begin_with("./nowhere", folder_registry, "search", tmp_path / "releases", Ranks())
    assert failed.value.code == 2
