"""What a model folder says about itself: settings.json beside config.json, weights and tokenizer. Needs no torch."""

import json
from pathlib import Path
from typing import Any, Literal

import msgspec

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
SETTINGS = "settings.json"
INT8 = "int8.safetensors"
"""Beside the weights, where a CPU may compute in 8-bit integers: by which steps (model_image/packed/int8.py)."""

MODULES = "modules.json"
SENTENCE_TRANSFORMERS = (MODULES, "1_Pooling/config.json", "sentence_bert_config.json")
"""What its models say of themselves; none of them has to be there."""

_MODULES = ("Transformer", "Pooling", "Normalize")
_FROM_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")  # count positions from the id of padding
_MOST_TOKENS = 512  # of a model that does not say: the text of a product is shorter

Pooling = Literal["mean", "cls"]
Head = Literal["embed", "rank", "classify", "regress"]


class ModelError(Exception):
    """The model folder cannot be used; the message names the file."""


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`settings.json` of a model folder. Sequences longer than `max_tokens`, special tokens counted, are cut.

    head: embed (one vector of length 1 per text), rank (one logit per pair), classify (one logit per label), regress
    (one value). `pooling` and `dimension`, the length of the vectors, are for embed alone; `labels` for classify alone.
    """

    max_tokens: int
    head: Head = "embed"
    pooling: Pooling = "mean"
    dimension: int = 0
    labels: tuple[str, ...] = ()

    @property
    def outputs(self) -> int:
        """Numbers per sequence."""
        return {"embed": self.dimension, "classify": len(self.labels)}.get(self.head, 1)


def read_settings(folder: Path) -> ModelSettings:
    """Settings of the model in `folder`. Raises `ModelError`."""
    path = folder / SETTINGS
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=ModelSettings)
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelError(f"{path}: {error}") from error
    return _checked(settings, path)


def write_settings(folder: Path, settings: ModelSettings) -> None:
    """Inverse of `read_settings`."""
    (folder / SETTINGS).write_bytes(msgspec.json.encode(settings))


def found_settings(folder: Path) -> ModelSettings:
    """Those of an encoder from anywhere: settings.json, or what sentence-transformers' files and config.json say.

    Where nothing says how, the mean is pooled. Raises `ModelError`.
    """
    if (folder / SETTINGS).is_file():
        found = read_settings(folder)
        if found.head != "embed":
            raise ModelError(f"{folder / SETTINGS}: head is {found.head!r}, expected 'embed': begin with an encoder")
        return found
    config = _read(folder / CONFIG)
    dimension, positions = config.get("hidden_size", config.get("dim")), config.get("max_position_embeddings")
    if not isinstance(dimension, int) or not isinstance(positions, int):
        raise ModelError(f"{folder / CONFIG}: has no hidden_size and max_position_embeddings, expected an encoder's")
    if str(config.get("model_type")) in _FROM_PADDING:
        padding = config.get("pad_token_id", 1)
        positions -= 1 + (padding if isinstance(padding, int) else 1)
    for module in _read(folder / MODULES, list):
        if (kind := str(module.get("type", "")).rpartition(".")[2]) not in _MODULES:
            raise ModelError(f"{folder / MODULES}: module {kind!r}, expected {', '.join(_MODULES)} alone")
    said = _read(folder / "sentence_bert_config.json").get("max_seq_length")
    most = min(positions, said if isinstance(said, int) else _MOST_TOKENS)
    found = ModelSettings(
        head="embed", pooling=_pooled(folder / "1_Pooling" / CONFIG), max_tokens=most, dimension=dimension
    )
    return _checked(found, folder / CONFIG)


def _checked(settings: ModelSettings, path: Path) -> ModelSettings:
    if settings.max_tokens < 8:
        raise ModelError(f"{path}: max_tokens is {settings.max_tokens}, expected 8 or more")
    if settings.head == "classify" and len(settings.labels) < 2:
        raise ModelError(
            f"{path}: head is 'classify', so labels must be given, two or more: probabilities of one are 1"
        )
    if settings.outputs < 1:
        raise ModelError(f"{path}: head is 'embed', so dimension must be given")
    return settings


def _pooled(path: Path) -> Pooling:
    """As the file says, the mean where there is none."""
    on = sorted(name for name, value in _read(path).items() if name.startswith("pooling_mode_") and value is True)
    if on not in ([], ["pooling_mode_mean_tokens"], ["pooling_mode_cls_token"]):
        raise ModelError(f"{path}: pools {', '.join(on)}, expected the mean or the first token (cls) alone")
    return "cls" if on == ["pooling_mode_cls_token"] else "mean"


def _read(path: Path, kind: type = dict) -> Any:
    """What the JSON file holds, of this kind; an empty one where there is no such file. Raises `ModelError`."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return kind()
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {error}") from error
    if not isinstance(found, kind):
        raise ModelError(f"{path}: expected {kind.__name__}, found {type(found).__name__}")
    return found
