"""Verbs run in this process on a folder registry."""

from collections.abc import Callable
from pathlib import Path

import pytest

from model_image import artefact, cli_promote, cli_publish, evaluation
from model_image.registry import Registry, open_registry

Verb = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verb:
    """Run a verb on a folder registry; gives exit code, stdout and stderr."""
    (tmp_path / "registry").mkdir()

    def run(module, *words: str, place: Path = tmp_path / "registry") -> tuple[int, str, str]:
        capsys.readouterr()
        code = module.main([*words, "--registry", str(place)])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def registry(run: Verb, tmp_path: Path) -> Registry:
    return open_registry(tmp_path / "registry")


@pytest.fixture
def sealed(tmp_path: Path) -> Callable[..., Path]:
    def make(word: str, measures: evaluation.Evaluation | None = None) -> Path:
        folder = tmp_path / f"sealed-{word}"
        folder.mkdir()
        (folder / "x.json").write_text(word)
        if measures:
            (folder / "evaluation.json").write_bytes(evaluation.encode(measures))
        artefact.seal(folder, model="search", base_model="b", data_revision=f"data {word}", code_revision="c")
        return folder

    return make


@pytest.fixture
def digests(run: Verb, sealed) -> list[str]:
    """Three published releases, the first of them stable."""
    found = [run(cli_publish, "--folder", str(sealed(word)))[1].strip() for word in ("red", "blue", "green")]
    assert run(cli_promote, found[0])[0] == 0
    return found
