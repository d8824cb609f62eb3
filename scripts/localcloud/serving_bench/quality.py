"""How near a server's ranking is to that of the same weights in fp32, padded, by transformers: on real queries."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.localcloud.console import UserError
from scripts.localcloud.serving_bench.cross_encoder import encoded, quiet
from scripts.localcloud.serving_bench.judged import Judged, ShopData
from scripts.localcloud.serving_bench.peers import HttpPeer
from scripts.localcloud.serving_bench.wire import ask
from scripts.localcloud.serving_bench.workload import Request
from scripts.localcloud.tools import cached

GAINS = (0.0, 0.01, 0.1, 1.0)  # by grade, as the data's own protocol has them


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Over lists of one query's judged products. `spearman` is the mean over the lists, `worst` the smallest."""

    lists: int
    spearman: float
    worst: float
    top_kept: float


def requests(queries: Sequence[Judged]) -> list[Request]:
    return [Request(query=judged.query, texts=judged.texts) for judged in queries]


def ask_all(peer: HttpPeer, port: int, asked: Sequence[Request]) -> list[list[float]]:
    """The scores of a running server. Raises UserError when it refuses one."""
    found = []
    for request in asked:
        answer = ask(port, peer.wire(request))
        if answer.status != 200:
            raise UserError(f"{peer.label}: status {answer.status} for a query and {len(request.texts)} texts")
        found.append(peer.scores(answer.body))
    return found


def agreement(reference: Sequence[Sequence[float]], scores: Sequence[Sequence[float]]) -> Agreement:
    """Both have one list of scores per query, in the same order."""
    correlations = [spearman(wanted, seen) for wanted, seen in zip(reference, scores, strict=True)]
    kept = [np.argmax(wanted) == np.argmax(seen) for wanted, seen in zip(reference, scores, strict=True)]
    return Agreement(
        lists=len(kept),
        spearman=statistics.mean(correlations),
        worst=min(correlations),
        top_kept=statistics.mean(map(float, kept)),
    )


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Rank correlation; equal scores share the mean of their ranks."""
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def ndcg(scores: Sequence[float], grades: Sequence[int], *, first: int = 10) -> float:
    """NDCG of the `first` by score, with GAINS."""
    gains = np.array([GAINS[grade] for grade in grades])
    discounts = 1 / np.log2(np.arange(2, first + 2))
    best = np.sort(gains)[::-1][:first]
    if not best.any():
        return 0.0
    found = gains[np.argsort(-np.array(scores), kind="stable")][:first]
    return float(found @ discounts[: len(found)] / (best @ discounts[: len(best)]))


def reference(data: ShopData, model: Path) -> list[list[float]]:
    """Scores of all queries' products in fp32; computed once per data and model."""

    def compute(folder: Path) -> None:
        (folder / "scores.json").write_text(json.dumps(_reference(requests(data.queries), model)))

    name = f"bench/reference-{model.name.removeprefix('cross-encoder-')}"
    made = cached(name, f"score {len(data.queries)} queries by transformers in fp32", compute, "1 minute")
    found: list[list[float]] = json.loads((made / "scores.json").read_text())
    return found


def _reference(asked: Sequence[Request], model: Path) -> list[list[float]]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    quiet()
    loaded = AutoModelForSequenceClassification.from_pretrained(model, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(model)
    with torch.inference_mode():
        batches = ([(request.query, text, 0) for text in request.texts] for request in asked)
        return [loaded(**encoded(tokenizer, batch)).logits[:, 0].tolist() for batch in batches]


def _ranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from 0, float64; equal values share the mean."""
    _, where, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[where]
