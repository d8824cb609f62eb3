"""Metrics of rankings by query or user, computed by pytrec_eval (the reference code of TREC).

Truth and Run map a query or user to products: to the gain (above 0 where relevant) and to the score. What counts:

- The queries of the truth, each once. One that the run does not answer counts 0, and so does one without any relevant
  product: a mean over answered queries alone could be raised by answering less. Queries of the run alone do not count.
- Equal scores are ordered by product id, ascending, so a run has one ranking on every machine. (TREC's own rule is
  descending and compares scores in single precision: what it is given here are places, not scores.)
- A product without a gain is irrelevant, also one that no catalogue knows: it takes its place in the ranking.
"""

import heapq
import math
import re
from collections.abc import Collection, Mapping
from fractions import Fraction

from model_image.training.evaluate.errors import MeasureError

Truth = Mapping[str, Mapping[str, float]]
"""Query or user -> product_id -> gain, above 0 only where relevant; graded gains such as 1, 0.1, 0.01."""

Run = Mapping[str, Mapping[str, float]]
"""Query or user -> product_id -> score, the highest first."""

GRADE_GAINS = (0.0, 0.01, 0.1, 1.0)
"""By grade 0 (irrelevant) to 3 (exact): the gains of the KDD Cup 2022 on the ESCI data, arXiv 2206.06588."""

_METRIC = re.compile(r"(ndcg|mrr|recall|hit)@([1-9][0-9]{0,3})|(ndcg)")
_TREC = {"ndcg": "ndcg_cut", "mrr": "recip_rank", "recall": "recall", "hit": "success"}
_LARGEST = 1_000_000  # trec_eval keeps a counter for each gain up to the largest
_RULE = "ndcg, or ndcg@K, mrr@K, recall@K or hit@K with K from 1 to 9999"


def per_query(truth: Truth, run: Run, metric: str) -> dict[str, float]:
    """The metric of each query of `truth`, in its order, 0 to 1.

    `metric` is "ndcg@10" (linear gains over log2(place + 1), the ideal order from all the truth), "mrr@10" (1 / place
    of the first relevant product), "recall@100" (share of the relevant products), "hit@10" (whether there is one), or
    "ndcg" over the whole ranking. For all but NDCG a product is relevant when its gain is above 0: see `at_least`.
    Raises `MeasureError` for an empty truth, gains that are negative, not finite or not decimals of few digits, a NaN
    score, and another metric.
    """
    import pytrec_eval

    name, cut = _parsed(metric)
    if not truth:
        raise MeasureError(f"{metric}: the truth is empty, expected one query at least; check the fold or the cut")
    relevance = _scaled(truth)
    trec = f"{_TREC[name]}.{cut}" if cut and name != "mrr" else ("ndcg" if name == "ndcg" else _TREC[name])
    places = {query: _places(query, run.get(query, {}), cut) for query in truth}
    answered = {query: ranking for query, ranking in places.items() if ranking and relevance[query]}
    found = pytrec_eval.RelevanceEvaluator({query: relevance[query] for query in answered}, {trec}).evaluate(answered)
    key = trec.replace(".", "_")
    return {query: float(found[query][key]) if query in answered else 0.0 for query in truth}


def at_least(truth: Truth, gain: float) -> dict[str, dict[str, float]]:
    """The truth with gain 1 for what has `gain` or more and nothing else: "MRR of exact matches" is `at_least(t, 1)`.

    Queries that keep no product stay, and count 0.
    """
    return {
        query: {product: 1.0 for product, value in gains.items() if value >= gain} for query, gains in truth.items()
    }


def unknown_products(run: Run, catalogue: Collection[str]) -> dict[str, int]:
    """How often a run names each product that the catalogue lacks; for the report, since each takes a place."""
    known = frozenset(catalogue)
    counts: dict[str, int] = {}
    for scores in run.values():
        for product in scores:
            if product not in known:
                counts[product] = counts.get(product, 0) + 1
    return counts


def ranking(query: str, scores: Mapping[str, float], most: int | None = None) -> list[str]:
    """The products best first, equal scores by id. Raises `MeasureError` for a NaN score, with query and product."""
    for product, score in scores.items():
        if math.isnan(score):
            raise MeasureError(
                f"query {query!r}, product {product!r}: the score is NaN, expected a number; leave the product out"
            )
    wanted = len(scores) if most is None else most
    return heapq.nsmallest(wanted, scores, key=lambda product: (-scores[product], product))


def _places(query: str, scores: Mapping[str, float], cut: int | None) -> dict[str, float]:
    """The places as scores that no rounding to single precision makes equal, for fewer than 2^24 products."""
    best = ranking(query, scores, cut)
    return {product: float(len(best) - place) for place, product in enumerate(best)}


def _parsed(metric: str) -> tuple[str, int | None]:
    if not (match := _METRIC.fullmatch(metric)):
        raise MeasureError(f"metric: {metric!r}, expected {_RULE}")
    return match[1] or match[3], int(match[2]) if match[2] else None


def _scaled(truth: Truth) -> dict[str, dict[str, int]]:
    """Integer gains, all multiplied by the same number, which NDCG does not change with; zeros are left out."""
    exact: dict[float, Fraction] = {}
    for query, gains in truth.items():
        for product, gain in gains.items():
            if gain not in exact:
                if not math.isfinite(gain) or gain < 0:
                    raise MeasureError(
                        f"query {query!r}, product {product!r}: gain {gain}, expected a number from 0 up"
                    )
                exact[gain] = Fraction(repr(float(gain)))
    scale = math.lcm(1, *(value.denominator for value in exact.values()))
    if (largest := max(exact.values(), default=Fraction(0)) * scale) > _LARGEST:
        raise MeasureError(
            f"gains: {sorted(exact)[:5]} need whole numbers up to {largest}, expected at most {_LARGEST}; "
            "use gains of fewer digits, such as 1, 0.1 and 0.01"
        )
    return {
        query: {product: int(exact[gain] * scale) for product, gain in gains.items() if gain > 0}
        for query, gains in truth.items()
    }
