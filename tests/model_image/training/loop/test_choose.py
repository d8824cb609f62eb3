"""A trained model stays in the release only where it gains for sure."""

from typing import Any

import pytest

from model_image.evaluation import Comparison, Estimate, Measure
from model_image.training.loop.choose import gains


def difference(low: float, high: float, **changes: Any) -> Measure:
    said: dict[str, Any] = {"task": "search", "metric": "ndcg@10", "segment": "all", "better": "higher"} | changes
    estimate = Estimate(value=(low + high) / 2, low=low, high=high, count=100)
    return Measure(**said, guarded=True, estimate=estimate)


@pytest.mark.parametrize(
    ("differences", "stays"),
    [
        ([difference(0.01, 0.05)], True),
        ([difference(-0.01, 0.05)], False),
        ([difference(0.0, 0.05)], False),
        ([difference(0.01, 0.05), difference(-0.05, -0.01, task="recommend")], False),
        ([difference(0.01, 0.05), difference(-0.05, 0.01, task="recommend")], True),
        ([difference(0.01, 0.05, segment="tail")], False),
        ([difference(0.01, 0.05, metric="mrr@10")], False),
        ([], False),
    ],
)
def test_it_stays_where_a_headline_is_better_for_sure_and_none_worse(differences: list[Measure], stays: bool) -> None:
    assert gains(Comparison(other="plain", differences=tuple(differences))) is stays
