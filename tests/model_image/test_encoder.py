"""The real MiniLM weights from their package, in the engine that serves them."""

import base64
import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from model_image import sample
from model_image.base import find_base
from model_image.embed import embed_texts
from model_image.packed import TextModel, load_model
from model_image.settings import ModelError, ModelSettings

REFERENCE = json.loads((Path(__file__).parent / "minilm_reference.json").read_text())
TEXTS: list[str] = REFERENCE["texts"]
SETTINGS = ModelSettings(max_tokens=256, head="embed", pooling="mean", dimension=384)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("release")
    find_base().copy(made / "encoder")
    return made / "encoder"


@pytest.fixture(scope="module")
def encoder(folder: Path) -> TextModel:
    torch.set_num_threads(1)  # on a busy machine a second one mostly waits for the first
    return load_model(folder, dtype=torch.float32)


@pytest.fixture(scope="module")
def short(folder: Path) -> TextModel:
    """In bfloat16, whether or not this CPU gains from it."""
    return load_model(folder, dtype=torch.bfloat16)


@pytest.mark.parametrize(("precision", "tolerance"), [("encoder", 1e-3), ("short", 2e-3)])
def test_vectors_equal_those_of_sentence_transformers(
    precision: str, tolerance: float, request: pytest.FixtureRequest
) -> None:
    """The reference was computed by the library the model was published with and stored: importing it takes 10 s."""
    vectors = embed_texts(request.getfixturevalue(precision), TEXTS)
    stored = [np.frombuffer(base64.b64decode(text), "<f2") for text in REFERENCE["float16_base64"]]
    assert (vectors * np.stack(stored).astype(np.float32)).sum(axis=1) == pytest.approx(1, abs=tolerance)


def test_bfloat16_ranks_products_as_float32_does(encoder: TextModel, short: TextModel) -> None:
    """Spearman's rank correlation of the cosines over titles of the sample, for each of its queries."""
    titles, queries = (
        [row[column] for row in csv.DictReader(path.read_text().splitlines())][:60]
        for path, column in ((sample.CATALOGUE, "title"), (sample.QUERIES, "query"))
    )
    exact, near = (embed_texts(model, queries) @ embed_texts(model, titles).T for model in (encoder, short))
    for one, other in zip(exact, near, strict=True):
        ranks = (np.argsort(np.argsort(scores)) for scores in (one, other))
        assert np.corrcoef(*ranks)[0, 1] >= 0.998


def test_an_encoder_of_another_kind_runs_through_transformers_with_the_same_result(
    encoder: TextModel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_image.packed.shape_of", lambda config, folder: None)
    fallback = embed_texts(load_model(folder), TEXTS)
    np.testing.assert_allclose(fallback, embed_texts(encoder, TEXTS), atol=1e-5)


@pytest.mark.parametrize(("precision", "tolerance"), [("encoder", 1e-5), ("short", 5e-3)])
def test_a_text_has_the_same_vector_alone_and_in_any_batch(
    precision: str, tolerance: float, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(precision)
    together = embed_texts(model, TEXTS)
    for at, text in enumerate(TEXTS):
        alone = embed_texts(model, [text])[0]
        np.testing.assert_allclose(together[at], alone, atol=tolerance)
        assert np.linalg.norm(alone) == pytest.approx(1, abs=1e-5)


def test_tokens_are_counted_as_encoded_and_cut_at_the_models_limit(encoder: TextModel) -> None:
    texts = encoder.tokenize(["red shoes", "", "word " * 1000])
    assert [len(encoder.single(text).ids) for text in texts] == [4, 2, 256]


def test_an_encoder_folder_that_lacks_or_breaks_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "settings.json", "model.safetensors"):
        broken = tmp_path / name
        shutil.copytree(folder, broken)
        (broken / name).write_bytes(b"{}")
        with pytest.raises(ModelError, match=str(broken)):
            load_model(broken)


def test_weights_that_do_not_fit_the_configuration_are_refused(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "encoder"
    shutil.copytree(folder, broken)
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 7}))
    with pytest.raises(ModelError, match=r"encoder\.layer\.6"):
        load_model(broken)
