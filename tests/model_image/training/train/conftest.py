"""A tiny BERT with random weights, and prepared datasets of a few examples."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

from model_image.training.dataset import Dataset
from model_image.training.train.plan import Job
from model_image.training.train.settings import Settings, checked

Rows = Sequence[Mapping[str, Any]]
MakeData = Callable[..., Dataset]
MakeJob = Callable[..., Job]

WORDS = [*(f"w{number}" for number in range(60)), *"红色连衣裙水壶鞋"]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of 32 numbers; every word of `WORDS`, Chinese characters too, is a token."""
    return write_base(tmp_path_factory.mktemp("base"))


def write_base(folder: Path, family: str = "bert", **config: Any) -> Path:
    import transformers

    transformers.logging.disable_progress_bar()
    sizes: dict[str, Any] = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2}
    sizes |= {"intermediate_size": 48, "vocab_size": len(WORDS) + 4, "max_position_embeddings": 48}
    if family == "distilbert":
        sizes = {"dim": 32, "n_heads": 2, "n_layers": 2, "hidden_dim": 48, **sizes}
    if family == "roberta":
        sizes |= {"type_vocab_size": 1, "pad_token_id": 0}
    torch.manual_seed(3)
    settings = transformers.AutoConfig.for_model(family, **sizes | config)
    transformers.AutoModel.from_config(settings).save_pretrained(folder)
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate([*special, *WORDS])}, unk_token="[UNK]"))
    split = pre_tokenizers.Split(pattern=Regex(r"[\u4e00-\u9fff]"), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), split])
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def make_data(tmp_path: Path) -> MakeData:
    """`make(task, rows)`: a prepared dataset with these examples; `spoil` may change the file before it is sealed."""

    def make(
        task: str, rows: Rows, *, spoil: Callable[[Path], object] | None = None, group: int = 5, revision: str = "one"
    ) -> Dataset:
        folder = tmp_path / f"data-{task}-{len(list(tmp_path.iterdir()))}"
        (folder / "examples").mkdir(parents=True)
        path = folder / "examples" / f"{task}.parquet"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path, row_group_size=group)
        if spoil:
            spoil(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        prepared = {"schema": 1, "revision": revision, "created": "now", "inputs": {}, "tables": {}, "cut": None}
        prepared |= {"files": {f"examples/{task}.parquet": digest}, "unseen_percent": 20, "seed": 1}
        (folder / "prepared.json").write_text(json.dumps(prepared))
        return Dataset(folder)

    return make


@pytest.fixture
def make_job(tmp_path: Path, base: Path, make_data: MakeData) -> MakeJob:
    """`make(task, rows, **settings)`: a job of small batches, without dropout unless asked for."""

    def make(task: str, rows: Rows | None = None, *, output: str = "model", **settings: Any) -> Job:
        given = {"batch": 4, "epochs": 2, "max_tokens": 24, "rate": 1e-2, "dropout": 0.0, "precision": "float32"}
        given |= {"device": "cpu"}
        return Job(
            task=task,
            dataset=make_data(task, EXAMPLES_OF[task]() if rows is None else rows),
            base=base,
            output=tmp_path / output,
            settings=checked(Settings(**given | settings)),
        )

    return make


def rank_rows(count: int = 18) -> Rows:
    """Wished is what shares its word with the query. Lengths differ; some texts are Chinese."""
    return [
        {
            "query": f"w{at % 6} 红色" if at % 3 else f"w{at % 6}",
            "text": " ".join([f"w{at % 6}" if at % 2 else "w50", *["w7"] * (at % 5)])
            + ("连衣裙" if at % 4 == 0 else ""),
            "wished": float(at % 2),
            "group": at % 3,
            "split": "valid" if at >= count - 6 else "train",
        }
        for at in range(count)
    ]


def retrieve_rows(count: int = 18) -> Rows:
    return [
        {
            "query": f"w{at % 7}",
            "text": f"w{at % 7} w{20 + at % 3} 鞋",
            "negatives": [f"w{30 + at}", "w40 w41"][: at % 3],
            "weight": 1 / (2 + at % 4),
            "split": "valid" if at >= count - 6 else "train",
        }
        for at in range(count)
    ]


def classify_rows(count: int = 18) -> Rows:
    return [
        {"text": f"w{at % 3} w{at}", "label": "abc"[at % 3], "split": "valid" if at >= count - 6 else "train"}
        for at in range(count)
    ]


def regress_rows(count: int = 18) -> Rows:
    return [
        {"text": f"w{at % 4} w{at}", "value": 100.0 + 7 * (at % 4), "split": "valid" if at >= count - 6 else "train"}
        for at in range(count)
    ]


EXAMPLES_OF: Mapping[str, Callable[[], Rows]] = {
    "rank": rank_rows,
    "retrieve": retrieve_rows,
    "classify": classify_rows,
    "regress": regress_rows,
}
