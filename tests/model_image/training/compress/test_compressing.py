"""A built release is compressed as a whole where its rankings stay, or not at all."""

import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from model_image import release_zero
from model_image.base import find_base, of_release
from model_image.catalogue import Product
from model_image.embed import embed_texts
from model_image.index import read_index, write_index
from model_image.layout import CROSS_ENCODER, ENCODER, INDEX, TASKS
from model_image.packed import int8, load_model
from model_image.settings import INT8, WEIGHTS, ModelSettings
from model_image.training.compress import compressing, halve
from model_image.training.compress.agreement import Agreement
from model_image.training.compress.asked import asked_of
from model_image.training.compress.compressing import compress
from model_image.training.compress.errors import CompressError
from model_image.training.dataset import JUDGMENTS, QUERIES, Dataset
from tests.model_image.packed.conftest import MakeModel, make_model
from tests.model_image.training.evaluate.conftest import CATEGORIES, TITLES, Prepare

__all__ = ["make_model"]


@pytest.fixture
def dataset(prepare: Prepare) -> Dataset:
    return prepare()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    found = zip(TITLES, CATEGORIES, strict=True)
    products = [Product(product_id=f"p{at}", title=title, category=kind) for at, (title, kind) in enumerate(found)]
    release_zero.write_catalogue(folder, products)
    find_base().copy(folder / ENCODER)
    embed = partial(embed_texts, load_model(folder / ENCODER, dtype=torch.float32))
    release_zero.write_vectors(folder, embed, products, len(products))
    return folder


@pytest.fixture
def release(built: Path, tmp_path: Path) -> Path:
    """Of the dataset's products, and not sealed; its files are links, as of releases that differ in one model."""
    shutil.copytree(built, tmp_path / "release", copy_function=os.link)
    return tmp_path / "release"


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_both_methods_keep_the_rankings_and_write_nothing_else(
    built: Path, release: Path, dataset: Dataset, tmp_path: Path
) -> None:
    before, said = _files(built), list[str]()
    found = compress(release, dataset, ["bf16", "int8"], least=0.9, say=said.append)
    assert set(found) == {ENCODER}
    assert found[ENCODER].value > 0.98
    assert said[-1] == f"encoder: bf16 and int8, {found[ENCODER]}"
    after = _files(release)
    assert {name for name in after if after[name] != before.get(name)} == {f"{ENCODER}/{WEIGHTS}", f"{ENCODER}/{INT8}"}
    assert len(after[f"{ENCODER}/{WEIGHTS}"]) < 0.51 * len(before[f"{ENCODER}/{WEIGHTS}"])
    assert _files(built) == before, "the release that has the same files is as it was"
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()
    model = load_model(release / ENCODER, int8=True)
    (vector,) = model.run([model.single(tokens) for tokens in model.tokenize(["red shoe"])])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_without_queries_products_are_asked(prepare: Prepare, release: Path) -> None:
    alone = prepare(**{QUERIES.removesuffix(".parquet"): None, JUDGMENTS.removesuffix(".parquet"): None})
    assert compress(release, alone, ["int8"], least=0.9)[ENCODER].value > 0.95


def test_models_of_all_heads_are_compressed(release: Path, dataset: Dataset, make_model: MakeModel) -> None:
    shutil.copytree(make_model("bert", "rank"), release / CROSS_ENCODER)
    for head in ("classify", "regress"):
        shutil.copytree(make_model("distilbert", head), release / TASKS / head)
    found = compress(release, dataset, ["int8"], least=-1e9)  # random weights: nothing is asked of them
    assert {path: str(agreed).rpartition("% of the ")[2] for path, agreed in found.items()} == {
        ENCODER: "first 8 stay", CROSS_ENCODER: "first 1 stay", f"{TASKS}/classify": "labels stay",
        f"{TASKS}/regress": f"{found[f'{TASKS}/regress'].value:.4f} of the values' variance stays",
    }  # fmt: skip
    assert all((release / path / INT8).exists() for path in found)


@pytest.mark.parametrize("which", [ENCODER, CROSS_ENCODER], ids=["the first", "the last"])
def test_a_release_is_left_as_it_is_where_one_model_disagrees(
    which: str, release: Path, dataset: Dataset, make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(make_model("bert", "rank"), release / CROSS_ENCODER)
    before, tried = _files(release), compressing._tried

    def spoilt(model: Path, *others: Any) -> Agreement:
        found = tried(model, *others)
        return found._replace(value=0.5) if model.name == which else found._replace(value=1.0)

    monkeypatch.setattr(compressing, "_tried", spoilt)
    with pytest.raises(CompressError, match=rf"{which}: int8, .*expected 0.9 at least: do without --compress, or "):
        compress(release, dataset, ["int8"], least=0.9)
    assert _files(release) == before
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()


def test_a_full_disk_is_told_and_leaves_the_release_as_it_is(
    release: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device")

    before = _files(release)
    for module in (halve, int8):
        with monkeypatch.context() as patched:
            patched.setattr(module, "save_file", full)
            with pytest.raises(OSError, match="No space left"):
                compress(release, dataset, ["bf16", "int8"], least=0.9)
    assert _files(release) == before


def test_a_family_that_is_not_computed_in_int8_is_told_before_any_work(
    release: Path, dataset: Dataset, make_model: MakeModel
) -> None:
    shutil.copytree(make_model("electra", "rank", embedding_size=20), release / CROSS_ENCODER)
    with pytest.raises(CompressError, match=r"cross_encoder: of a family that is not computed in int8; do without it"):
        compress(release, dataset, ["int8"])


def test_one_product_and_no_query_is_nothing_to_compare_by(prepare: Prepare, release: Path) -> None:
    alone = prepare(queries=None, judgments=None, products=[{"product_id": "p0", "title": "shoe", "category": ""}])
    (release / INDEX).unlink()
    write_index(release, np.eye(1, 384, dtype=np.float32))
    with pytest.raises(CompressError, match="encoder: nothing to compare by, expected two queries or products"):
        compress(release, alone, ["int8"])


def test_steps_come_from_other_texts_than_the_comparison_and_none_that_measure(prepare: Prepare, built: Path) -> None:
    rows = [{"text": f"text {at}", "label": "ab"[at % 2], "split": ("train", "test")[at > 20]} for at in range(40)]
    dataset = prepare(hold_fold=2, **{"examples/classify": rows})
    asked = asked_of(dataset, load_model(built / ENCODER), read_index(built))
    assert sorted(asked.queries) == sorted({"red shoe", "blue shoe", "台灯", "kettle", "sock for a cold day", "table"})
    assert sorted(asked.labelled["classify"]) == sorted(f"text {at}" for at in range(21))

    class Model:
        """Says which texts it is asked."""

        def __init__(self, head: str) -> None:
            self.settings = ModelSettings(head=head, max_tokens=8, dimension=1, labels=("a", "b"))

        def tokenize(self, texts: Sequence[str]) -> list[str]:
            return list(texts)

        def single(self, text: str) -> str:
            return text

        def pair(self, first: str, second: str) -> str:
            return first

    for head in ("embed", "rank", "classify", "regress"):
        learnt, compared = (set(ask(Model(head))) for ask in (asked.learnt_from, asked.compared_by))
        assert learnt
        assert compared
        assert not learnt & compared
        if head == "classify":
            assert learnt | compared == set(asked.labelled["classify"])


def test_what_is_in_int8_already_is_not_compressed_again(release: Path, dataset: Dataset) -> None:
    compress(release, dataset, ["int8"], least=0.9)
    before = _files(release)
    with pytest.raises(CompressError, match=r"encoder: has int8.safetensors, .*build it again"):
        compress(release, dataset, ["bf16"], least=0.9)
    assert _files(release) == before
    began = find_base().revision
    assert of_release(release, began).revision == began, "the weights are the same"


def test_an_encoder_in_bfloat16_is_not_taken_for_the_one_it_was(release: Path, dataset: Dataset) -> None:
    began = find_base().revision
    compress(release, dataset, ["bf16"], least=0.9)
    assert load_file(release / ENCODER / WEIGHTS)["embeddings.word_embeddings.weight"].dtype == torch.bfloat16
    halved = of_release(release, began)
    assert halved.revision.startswith(f"{began}, bf16@sha256-")
    assert not halved.tuned
    assert of_release(release, halved.revision) == halved, "the next release begins with the same"
    native = find_base(str(release / ENCODER))
    assert of_release(release, native.revision).revision == native.revision
