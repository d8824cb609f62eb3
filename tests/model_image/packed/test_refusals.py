"""A folder that does not fit is refused with a message that names the file and what is wrong in it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from model_image.packed import load_model
from model_image.packed.reference import _SPARE
from model_image.settings import ModelError, ModelSettings, write_settings
from tests.model_image.packed.conftest import MakeModel

Change = Callable[[dict[str, torch.Tensor]], object]
QUERY = "bert.encoder.layer.1.attention.self.query.weight"
DISTANCES = "bert.encoder.layer.0.attention.self.distance_embedding.weight"  # of relative positions


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
        (lambda weights: weights.update({QUERY.replace("1", "3"): torch.ones(1)}), r"layer.3.*' has no place"),
        (lambda weights: weights.update({DISTANCES: torch.ones(95, 9)}), r"distance_embedding.weight' has no place"),
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
        ({"num_hidden_layers": 2}, r"tensor 'bert\.encoder\.layer\.2\..*' has no place in the layers"),
        ({"position_embedding_type": "relative_key_query"}, r"position_embedding_type is 'relative_key_query', only"),
        ({"layer_norm_eps": None}, r"config\.json: layer_norm_eps is None, expected a small positive number"),
        ({"vocab_size": 80}, r"word_embeddings\.weight' is \[90, 36\], expected \[80, 36\]"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(folder: Path, values: dict[str, object], message: str) -> None:
    change_config(folder, **values)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


def test_a_padding_token_that_positions_count_from_is_needed(make_model: MakeModel, tmp_path: Path) -> None:
    shutil.copytree(make_model("roberta", "rank"), tmp_path / "model")
    change_config(tmp_path / "model", pad_token_id=None)
    with pytest.raises(ModelError, match=r"config\.json: pad_token_id is None, expected the id of a token"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("name", ["electra.encoder.layer.3.output.dense.bias", DISTANCES.replace("bert.", "electra.")])
def test_what_transformers_would_leave_out_unseen_is_refused(name: str, make_model: MakeModel, tmp_path: Path) -> None:
    shutil.copytree(make_model("electra", "rank", embedding_size=20), tmp_path / "model")
    change_weights(tmp_path / "model", lambda weights: weights.update({name: torch.ones(36)}))
    with pytest.raises(ModelError, match=rf"model\.safetensors: tensor '{name}' has no place in the model"):
        load_model(tmp_path / "model")


def test_heads_and_buffers_of_other_families_may_be_there() -> None:
    spare = ["lm_head.layer_norm.bias", "predictions.dense.weight", "lm_predictions.lm_head.bias", "decoder.bias"]
    spare += ["head.norm.weight", "roberta.embeddings.position_ids", "cls.predictions.transform.dense.weight"]
    assert all(_SPARE.search(name) for name in spare)
    parts = ["encoder.layers.3.mlp.Wi.weight", "decoder.layers.3.fc1.bias", "model.rel_embeddings.weight"]
    assert not any(_SPARE.search(name) for name in parts)


def test_heads_that_the_settings_do_not_ask_for_may_be_there(make_model: MakeModel, tmp_path: Path) -> None:
    shutil.copytree(make_model("electra", "rank", embedding_size=20), tmp_path / "model")
    write_settings(tmp_path / "model", ModelSettings(max_tokens=8, dimension=36))
    load_model(tmp_path / "model")


@pytest.mark.parametrize(
    ("family", "config", "message"),
    [
        # Positions count from behind the padding's id there: 2 of the 48 stand for nothing.
        ("mpnet", {"pad_token_id": 1, "max_position_embeddings": 48}, "a sequence of 47 tokens cannot be computed"),
        ("t5", {"d_model": 36, "d_kv": 9, "d_ff": 50, "num_heads": 4, "num_layers": 1}, "cannot be computed"),
    ],
)
def test_a_model_that_cannot_read_its_longest_sequence_is_refused(
    family: str, config: dict[str, object], message: str, make_model: MakeModel, tmp_path: Path
) -> None:
    shutil.copytree(make_model(family, "embed-mean", **config), tmp_path / "model")
    write_settings(tmp_path / "model", ModelSettings(max_tokens=47, dimension=36))
    with pytest.raises(ModelError, match=rf"config\.json: .*{message}"):
        load_model(tmp_path / "model")


def test_a_classifier_of_several_labels_at_once_is_refused(make_model: MakeModel, tmp_path: Path) -> None:
    """Its probabilities would be shared out between labels that may all be right."""
    shutil.copytree(make_model("bert", "classify"), tmp_path / "model")
    change_config(tmp_path / "model", problem_type="multi_label_classification")
    with pytest.raises(ModelError, match=r"config\.json: problem_type is multi_label_classification"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("labels", [(), ("only",)])
def test_a_classifier_needs_labels_to_choose_from(labels: tuple[str, ...], folder: Path) -> None:
    write_settings(folder, ModelSettings(max_tokens=8, head="classify", labels=labels))
    with pytest.raises(ModelError, match=r"settings\.json: head is 'classify', so labels must be given, two or more"):
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


def test_a_tokenizer_whose_ids_have_gaps_is_measured_by_the_highest(folder: Path) -> None:
    path = folder / "tokenizer.json"
    described = json.loads(path.read_text())
    described["model"]["vocab"]["w85"] = 90  # 89 before: as many words, and one that the model has not
    path.write_text(json.dumps(described))
    with pytest.raises(ModelError, match="90 words, but the tokenizer has 91"):
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
