"""A built release is compressed as a whole where its rankings stay, or not at all."""

import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from model_image import release_zero
from model_image.base import find_base, of_release
from model_image.catalogue import Product
from model_image.embed import embed_texts
from model_image.layout import CROSS_ENCODER, ENCODER, TASKS
from model_image.packed import load_model
from model_image.settings import INT8, WEIGHTS
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
    assert found[ENCODER].ranks > 0.98
    assert said == [f"encoder: bf16 and int8, {found[ENCODER]}"]
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
    assert compress(release, alone, ["int8"], least=0.9)[ENCODER].ranks > 0.95


def test_models_of_all_heads_are_compressed(release: Path, dataset: Dataset, make_model: MakeModel) -> None:
    shutil.copytree(make_model("bert", "rank"), release / CROSS_ENCODER)
    for head in ("classify", "regress"):
        shutil.copytree(make_model("distilbert", head), release / TASKS / head)
    found = compress(release, dataset, ["int8"], least=0.5)
    assert {path: agreed.of for path, agreed in found.items()} == {
        ENCODER: 8, CROSS_ENCODER: 1, f"{TASKS}/classify": 0, f"{TASKS}/regress": 1,
    }  # fmt: skip
    assert all((release / path / INT8).exists() for path in found)


def test_a_release_is_left_as_it_is_where_one_model_disagrees(
    release: Path, dataset: Dataset, make_model: MakeModel, tmp_path: Path
) -> None:
    shutil.copytree(make_model("bert", "rank"), release / CROSS_ENCODER)
    before = _files(release)
    with pytest.raises(CompressError, match=r"int8, .*expected 1 at least: do without --compress, or .*--agreement"):
        compress(release, dataset, ["int8"], least=1)
    assert _files(release) == before
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()


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
