"""A folder that does not fit is refused with a message that names the file and what is wrong in it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from model_image.packed import load_model
from model_image.settings import ModelError, ModelSettings, write_settings
from tests.model_image.packed.conftest import MakeModel

Change = Callable[[dict[str, torch.Tensor]], object]
QUERY = "bert.encoder.layer.1.attention.self.query.weight"


@pytest.fixture
def folder(make_model: MakeModel, tmp_path: Path) -> Path:
    shutil.copytree(make_model("bert", "rank"), tmp_path / "model")
    return tmp_path / "model"


def change_weights(folder: Path, change: Change) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def change_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.pop(QUERY), r"tensor 'encoder.layer.1.attention.self.query.weight' is missing"),
        (lambda weights: weights.pop("classifier.bias"), r"tensor 'classifier.bias' is missing"),
        (lambda weights: weights.update({QUERY: torch.ones(36, 35)}), r"self.query.weight' is \[36, 35\], expected"),
        (lambda weights: weights[QUERY].fill_(float("nan")), r"self.query.weight' has numbers that are not finite"),
        (lambda weights: weights[QUERY][3].fill_(float("inf")), r"self.query.weight' has numbers that are not finite"),
        (lambda weights: weights.update({QUERY: weights[QUERY].int()}), r"self.query.weight' is torch.int32"),
    ],
)
def test_weights_that_do_not_fit_are_refused(folder: Path, change: Change, message: str) -> None:
    change_weights(folder, change)
    with pytest.raises(ModelError, match=rf"model\.safetensors: tensor .*{message.removeprefix('tensor ')}"):
        load_model(folder)


def test_weights_whose_results_overflow_are_refused(folder: Path) -> None:
    change_weights(folder, lambda weights: weights["classifier.weight"].fill_(3e38))
    with pytest.raises(ModelError, match=r"model\.safetensors: gives numbers that are not finite"):
        load_model(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "settings.json", "model.safetensors"])
def test_a_file_that_is_missing_or_damaged_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"{")
    with pytest.raises(ModelError, match=name):
        load_model(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        load_model(folder)


def test_a_truncated_weights_file_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        load_model(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_size": None}, r"config\.json: hidden_size is None, expected a positive number"),
        ({"num_attention_heads": 5}, r"config\.json: 36 numbers cannot be split over 5 heads"),
        ({"num_hidden_layers": 4}, r"tensor 'encoder\.layer\.3\."),
        ({"vocab_size": 80}, r"word_embeddings\.weight' is \[90, 36\], expected \[80, 36\]"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(folder: Path, values: dict[str, object], message: str) -> None:
    change_config(folder, **values)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


@pytest.mark.parametrize(
    ("family", "head", "settings", "message"),
    [
        ("bert", "rank", ModelSettings(max_tokens=49, head="rank"), r"at most 48 tokens, but settings say 49"),
        ("roberta", "rank", ModelSettings(max_tokens=47, head="rank"), r"at most 46 tokens, but settings say 47"),
        ("bert", "embed-cls", ModelSettings(max_tokens=8, dimension=35), r"vectors of 36, but its settings say 35"),
        ("electra", "embed-cls", ModelSettings(max_tokens=8, dimension=35), r"vectors of 36, but its settings say 35"),
        ("bert", "rank", ModelSettings(max_tokens=8, head="classify", labels=("a", "b")), r"'classifier.weight' is"),
        ("electra", "rank", ModelSettings(max_tokens=8, head="classify", labels=("a", "b")), r"gives 1 numbers, but"),
        ("electra", "embed-cls", ModelSettings(max_tokens=8, head="rank"), r"tensor 'classifier\..*' is missing"),
        ("bert", "rank", ModelSettings(max_tokens=8, pooling="cls", dimension=36), None),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    family: str, head: str, settings: ModelSettings, message: str | None, make_model: MakeModel, tmp_path: Path
) -> None:
    """A cross-encoder's encoder may embed; nothing else may be asked of a model that it does not have."""
    shutil.copytree(make_model(family, head), tmp_path / "model")
    write_settings(tmp_path / "model", settings)
    if message is None:
        load_model(tmp_path / "model")
        return
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path / "model")


def test_a_tokenizer_with_more_words_than_the_model_is_refused(folder: Path) -> None:
    change_config(folder, vocab_size=60)
    name = "bert.embeddings.word_embeddings.weight"
    change_weights(folder, lambda weights: weights.update({name: weights[name][:60].clone()}))
    with pytest.raises(ModelError, match="60 words, but the tokenizer has 90"):
        load_model(folder)


def test_code_in_the_folder_does_not_run(folder: Path, tmp_path: Path) -> None:
    change_config(folder, model_type="own", auto_map={"AutoModelForSequenceClassification": "own.Own"})
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError, match=str(folder)):
        load_model(folder)
    assert not (tmp_path / "ran").exists()


def test_a_pickle_is_never_read(folder: Path) -> None:
    change_config(folder, model_type="electra", embedding_size=36)
    torch.save({"any": torch.ones(1)}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=str(folder)):
        load_model(folder)
