"""Tiny models with random weights, made by transformers: the reference that the packed engine is held against."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from model_image.packed import Engine, load_engine
from model_image.sequences import TokenSequence
from model_image.settings import ModelSettings, read_settings, write_settings
from model_image.tokens import Tokenizer as ModelTokenizer

WORDS = 90
_SIZES = {"hidden_size": 36, "num_attention_heads": 4, "num_hidden_layers": 3, "intermediate_size": 50}
_DISTIL = {"dim": 36, "n_heads": 4, "n_layers": 3, "hidden_dim": 50}
_OUTPUTS = {"rank": 1, "classify": 3, "regress": 1}

MakeModel = Callable[..., Path]
EngineOf = Callable[[Path], Engine]
Expected = Callable[[Path, Sequence[TokenSequence]], np.ndarray]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _write_tokenizer(folder: Path, *, roberta: bool) -> None:
    special = ["<s>", "<pad>", "</s>", "<unk>"] if roberta else ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    words = {word: at for at, word in enumerate([*special, *(f"w{number}" for number in range(WORDS - 4))])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token=special[3]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = (
        processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
        if roberta
        else processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def _settings(head: str) -> ModelSettings:
    return {
        "embed-mean": ModelSettings(max_tokens=40, head="embed", pooling="mean", dimension=36),
        "embed-cls": ModelSettings(max_tokens=40, head="embed", pooling="cls", dimension=36),
        "rank": ModelSettings(max_tokens=40, head="rank"),
        "classify": ModelSettings(max_tokens=40, head="classify", labels=("a", "b", "c")),
        "regress": ModelSettings(max_tokens=40, head="regress"),
    }[head]


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """`make(family, head, **config)`: a model folder; head is embed-mean, embed-cls, rank, classify or regress."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()

    @cache
    def make(family: str, head: str, **config: Any) -> Path:
        folder = tmp_path_factory.mktemp(f"{family}-{head}")
        sizes = _DISTIL if family == "distilbert" else _SIZES
        roberta = family in ("roberta", "xlm-roberta", "camembert")
        given: dict[str, Any] = {"vocab_size": WORDS, "max_position_embeddings": 48, **sizes}
        given |= {"pad_token_id": 1, "type_vocab_size": 1} if roberta else {"pad_token_id": 0}
        if head in _OUTPUTS:
            given["num_labels"] = _OUTPUTS[head]
        settings = transformers.AutoConfig.for_model(family, **given | config)
        kind = transformers.AutoModelForSequenceClassification if head in _OUTPUTS else transformers.AutoModel
        torch.manual_seed(3)
        model = kind.from_config(settings)
        for tensor in model.parameters():  # far enough from each other that an error shows
            torch.nn.init.normal_(tensor, mean=0.05, std=0.3)
        model.save_pretrained(folder)
        _write_tokenizer(folder, roberta=roberta)
        write_settings(folder, _settings(head))
        return folder

    return make


@pytest.fixture(scope="session")
def engine_of() -> EngineOf:
    """The engine of a folder, loaded once: a property test asks for it often."""

    @cache
    def load(folder: Path) -> Engine:
        settings = read_settings(folder)
        return load_engine(folder, settings, ModelTokenizer(folder, settings.max_tokens), torch.device("cpu"))

    return load


@pytest.fixture(scope="session")
def expected() -> Iterator[Expected]:
    """What transformers computes for sequences, one by one, so that nothing is padded."""
    from transformers import AutoModel, AutoModelForSequenceClassification

    @cache
    def load(folder: Path) -> Any:
        kind = AutoModel if read_settings(folder).head == "embed" else AutoModelForSequenceClassification
        return kind.from_pretrained(folder).eval()

    @torch.inference_mode()
    def compute(folder: Path, sequences: Sequence[TokenSequence]) -> np.ndarray:
        model, cls = load(folder), read_settings(folder).pooling == "cls"
        rows = []
        for sequence in sequences:
            given = {"input_ids": torch.tensor(sequence.ids[None], dtype=torch.long)}
            given["attention_mask"] = torch.ones_like(given["input_ids"])
            if model.config.model_type in ("bert", "electra"):
                given["token_type_ids"] = (torch.arange(len(sequence.ids)) >= sequence.second).long()[None]
            answer = model(**given)
            if "logits" in answer:
                rows.append(answer.logits[0])
                continue
            states = answer.last_hidden_state[0]
            vector = states[0] if cls else states.mean(0)
            rows.append(torch.nn.functional.normalize(vector, dim=0))
        return torch.stack(rows).float().numpy()

    yield compute
    load.cache_clear()
