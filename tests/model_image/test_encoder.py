"""The real MiniLM weights from their package."""

import base64
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from model_image import release_zero
from model_image.embedding import EncoderError
from model_image.encoder import TextEncoder

REFERENCE = json.loads((Path(__file__).parent / "minilm_reference.json").read_text())
TEXTS: list[str] = REFERENCE["texts"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("release")
    release_zero.write_encoder(made)
    return made / "encoder"


@pytest.fixture(scope="module")
def encoder(folder: Path) -> TextEncoder:
    torch.set_num_threads(1)  # on a busy machine a second one mostly waits for the first
    return TextEncoder(folder)


def test_vectors_equal_those_of_sentence_transformers(encoder: TextEncoder) -> None:
    """The reference was computed by the library the model was published with and stored: importing it takes 10 s."""
    stored = [np.frombuffer(base64.b64decode(text), "<f2") for text in REFERENCE["float16_base64"]]
    assert (encoder.embed(TEXTS).vectors * np.stack(stored).astype(np.float32)).sum(axis=1) == pytest.approx(
        1, abs=1e-3
    )


def test_an_encoder_of_another_kind_runs_through_transformers_with_the_same_result(
    encoder: TextEncoder, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_image.bert.Bert.runs", lambda config: False)
    fallback = TextEncoder(folder).embed(TEXTS).vectors
    np.testing.assert_allclose(fallback, encoder.embed(TEXTS).vectors, atol=1e-5)


def test_a_text_has_the_same_vector_alone_and_in_any_batch(encoder: TextEncoder) -> None:
    together = encoder.embed(TEXTS).vectors
    for at, text in enumerate(TEXTS):
        alone = encoder.embed([text]).vectors[0]
        np.testing.assert_allclose(together[at], alone, atol=1e-5)
        assert np.linalg.norm(alone) == pytest.approx(1, abs=1e-5)


def test_tokens_are_counted_as_encoded_and_cut_at_the_models_limit(encoder: TextEncoder) -> None:
    assert list(encoder.embed(["red shoes", "", "word " * 1000]).tokens) == [4, 2, 256]


def test_an_encoder_folder_that_lacks_or_breaks_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "settings.json", "model.safetensors"):
        broken = tmp_path / name
        shutil.copytree(folder, broken)
        (broken / name).write_bytes(b"{}")
        with pytest.raises(EncoderError, match=str(broken)):
            TextEncoder(broken)


def test_weights_that_do_not_fit_the_configuration_are_refused(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "encoder"
    shutil.copytree(folder, broken)
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 7}))
    with pytest.raises(EncoderError, match=r"encoder\.layer\.6"):
        TextEncoder(broken)
