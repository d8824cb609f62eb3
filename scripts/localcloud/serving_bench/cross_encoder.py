"""The weights that all servers run: the packaged MiniLM with a head that scores pairs, trained on judged queries.

A random head's scores lie so close together that their order is noise: what bf16 does to a ranking shows on a trained
head alone. Without judged queries the head is random, good for speed and nothing else.
"""

import json
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_image.base import find_base
from model_image.settings import ModelSettings, write_settings
from scripts.localcloud.console import progress_line
from scripts.localcloud.serving_bench.judged import Judged, ShopData
from scripts.localcloud.serving_bench.workload import MOST_TOKENS
from scripts.localcloud.tools import cached

if TYPE_CHECKING:
    import torch

EPOCHS = 4
BATCH = 32
SORTED = 8 * BATCH  # examples ordered by length together, so that a batch pads little
RATE = 1e-4  # of AdamW; rises over the first tenth, then falls to 0
WISHED = (0.0, 0.1, 0.4, 1.0)  # probability by grade: irrelevant, complement, substitute, exact
MOST_SECONDS = 900.0  # training ends by then, with the rate at 0 as it should

Example = tuple[str, str, int]


def cross_encoder(data: ShopData | None) -> Path:
    """Folder of the model: safetensors, tokenizer, config.json and settings.json; made once per data and recipe."""
    recipe = Path(__file__).read_bytes() + find_base().revision.encode()
    key = sha256(recipe + (data.digest if data else "").encode()).hexdigest()[:12]
    title, usual = ("train the cross-encoder", "11 min") if data else ("make a cross-encoder of random head", "10 s")
    return cached(f"bench/cross-encoder-{key}", title, lambda into: _make(into, data), usual)


def _make(folder: Path, data: ShopData | None) -> None:
    import torch
    from transformers import AutoTokenizer, BertForSequenceClassification

    quiet()
    torch.manual_seed(0)
    source = find_base().folder
    model = BertForSequenceClassification.from_pretrained(source, num_labels=1)
    if data:
        tokenizer = AutoTokenizer.from_pretrained(source, model_max_length=MOST_TOKENS)
        _train(model, tokenizer, data.training)
    model.eval().save_pretrained(folder)
    for name in ("tokenizer.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copyfile(source / name, folder / name)
    # Peers cut where this file says.
    words = json.loads((source / "tokenizer_config.json").read_text()) | {"model_max_length": MOST_TOKENS}
    (folder / "tokenizer_config.json").write_text(json.dumps(words))
    write_settings(folder, ModelSettings(head="rank", max_tokens=MOST_TOKENS))


def _train(model: Any, tokenizer: Any, queries: Sequence[Judged]) -> None:
    """Cross-entropy against the wished probabilities; fp32, since bf16 was slower to train where it was tried."""
    import torch

    examples = [(one.query, text, grade) for one in queries for text, grade in zip(one.texts, one.grades, strict=True)]
    batches = list(_batches(examples))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, weight_decay=0.01)
    wished = torch.tensor(WISHED)
    progress_line(f"  {len(examples)} pairs of {len(queries)} queries, {EPOCHS} times")
    began = time.monotonic()
    model.train()
    for done, batch in enumerate(batches):
        seconds = time.monotonic() - began
        share = max(done / len(batches), seconds / MOST_SECONDS)
        if share >= 1:
            progress_line(f"  ended after {seconds:.0f} s with {done} of {len(batches)} batches: the machine is busy")
            break
        if done % 20 == 0:
            progress_line(f"  {done} of {len(batches)} batches, {seconds:.0f} s")
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(share * 10 + 0.01, (1 - share) / 0.9)
        logits = model(**encoded(tokenizer, batch)).logits[:, 0]
        grades = torch.tensor([grade for _, _, grade in batch])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wished[grades])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def _batches(examples: list[Example]) -> Iterator[list[Example]]:
    """Every example `EPOCHS` times, in a new order each time."""
    chance = random.Random(0)
    for _ in range(EPOCHS):
        shuffled = chance.sample(examples, len(examples))
        batches = []
        for at in range(0, len(shuffled), SORTED):
            ordered = sorted(shuffled[at : at + SORTED], key=lambda example: len(example[0] + example[1]))
            batches += [ordered[first : first + BATCH] for first in range(0, len(ordered), BATCH)]
        yield from chance.sample(batches, len(batches))


def quiet() -> None:
    """Transformers tells about weights it loads and the new head; our steps say what goes on."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def encoded(tokenizer: Any, batch: Sequence[Example]) -> "dict[str, torch.Tensor]":
    """Pairs of query and text, padded to the longest."""
    queries, texts, _ = zip(*batch, strict=True)
    return dict(tokenizer(list(queries), list(texts), padding=True, truncation=True, return_tensors="pt"))
