"""What a model that classifies or regresses must beat: what is said without reading, and what the words alone say."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from model_image.signals.words import words

COMMONEST, MEDIAN, WORDS = "most frequent label", "median", "words, linear"
_MOST_WORDS = 50_000
_MOST_LABELS = 50
"""Beyond it the linear model is left out: it has a number for every word and label, and its solver twenty of them."""


def task_baselines(head: str, texts: Sequence[str], truth: Sequence[Any], asked: Sequence[str]) -> dict[str, list[Any]]:
    """By name, what each says of the texts `asked` when it has learnt the `truth` of `texts`, one at least: labels
    where `head` is "classify", numbers where it is "regress".

    "words, linear" is logistic or ridge regression over words and pairs of neighbours, weighted by rarity (TF-IDF). On
    a few thousand texts that is hard to beat (Wang & Manning, ACL 2012).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge

    read = TfidfVectorizer(analyzer=_features, max_features=_MOST_WORDS, sublinear_tf=True)
    learnt, there = read.fit_transform(texts), read.transform(asked)
    if head == "regress":
        median = float(np.median(np.asarray(truth, dtype=np.float64)))
        return {MEDIAN: [median] * len(asked), WORDS: Ridge().fit(learnt, truth).predict(there).tolist()}
    counts = Counter(truth)
    commonest = min(counts, key=lambda label: (-counts[label], label))
    said = {COMMONEST: [commonest] * len(asked)}
    if 1 < len(counts) <= _MOST_LABELS:
        said[WORDS] = LogisticRegression(max_iter=1000).fit(learnt, truth).predict(there).tolist()
    return said


def _features(text: str) -> list[str]:
    found = words(text)
    pairs = [f"{one} {other}" for one, other in pairwise(found)]
    return ["", *found, *pairs]  # the first is in every text, also in one without a word
