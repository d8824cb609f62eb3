"""The model that training starts from, out of its three files."""

import shutil
from pathlib import Path
from typing import Any

import torch

from model_image.packed.checkpoint import read_config
from model_image.packed.families import DISTILBERT, FAMILIES
from model_image.packed.shape import Shape, shape_of
from model_image.settings import CONFIG, TOKENIZER, WEIGHTS, ModelError
from model_image.training.train.errors import TrainInputError

_HEADS = {"classifier", "pre_classifier", "pooler"}


def base_shape(folder: Path) -> Shape:
    """The sizes of the model. Raises `TrainInputError` for a family that the server's engine does not compute."""
    try:
        config = read_config(folder)
        shape = shape_of(config, folder)
    except ModelError as error:
        raise TrainInputError(str(error)) from error
    if shape is None:
        kind = config.get("model_type")
        raise TrainInputError(f"{folder / CONFIG}: model_type is {kind!r}, expected an encoder: {', '.join(FAMILIES)}")
    return shape


def load_base(folder: Path, *, outputs: int, dropout: float) -> Any:
    """The model in float32: with a head of `outputs` numbers, or bare for 0. What the weights lack of a
    head is made anew, from torch's seed. No code of the folder runs. Raises `TrainInputError`."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    config = read_config(folder)
    distil = base_shape(folder).names is DISTILBERT
    names = ("dropout", "attention_dropout") if distil else ("hidden_dropout_prob", "attention_probs_dropout_prob")
    given: dict[str, Any] = dict.fromkeys(names, dropout)
    if outputs:
        given |= {"num_labels": outputs, "ignore_mismatched_sizes": True, "problem_type": None}
        given |= {name: dropout for name in ("classifier_dropout", "seq_classif_dropout") if name in config}
    kind = transformers.AutoModelForSequenceClassification if outputs else transformers.AutoModel
    try:
        model, found = kind.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            **given,
        )
    except Exception as error:  # OSError, ValueError, KeyError, SafetensorError
        raise TrainInputError(f"{folder}: cannot be loaded: {type(error).__name__}: {error}") from error
    anew = [*found["missing_keys"], *(key if isinstance(key, str) else key[0] for key in found["mismatched_keys"])]
    if lacking := sorted(name for name in anew if not is_head(name)):
        raise TrainInputError(
            f"{folder / WEIGHTS}: tensor {lacking[0]!r} is missing or of another size than {CONFIG} says"
        )
    for name, tensor in model.named_parameters():
        if not torch.isfinite(tensor).all():
            raise TrainInputError(f"{folder / WEIGHTS}: tensor {name!r} has numbers that are not finite")
        if not outputs and "pooler" in name:
            tensor.requires_grad_(False)  # the mean is pooled, so nothing would ever move it but the decay
    return model


def is_head(name: str) -> bool:
    """Whether a parameter is of a task's head, which may be made anew, and not of the encoder."""
    return not _HEADS.isdisjoint(name.split("."))


def copy_tokenizer(base: Path, folder: Path) -> None:
    shutil.copyfile(base / TOKENIZER, folder / TOKENIZER)
