"""What is counted of labels: which series there are, from when to when, and how many at most."""

import pytest
from prometheus_client import CollectorRegistry

from model_image.server.classified import MOST_LABELS, OTHER, Classified

SENTIMENT = {"sentiment": ("negative", "neutral", "positive")}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def classified(registry: CollectorRegistry) -> Classified:
    return Classified(registry)


def counts(registry: CollectorRegistry) -> dict[tuple[str, str, str, str], float]:
    """By channel, release, task and label."""
    return {
        (*(sample.labels[name] for name in ("channel", "release", "task", "label")),): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "serving_classified_total"
    }


def test_every_label_is_there_at_zero_before_the_first_text(classified, registry) -> None:
    classified.serve("stable", "abc", SENTIMENT)
    assert counts(registry) == {("stable", "abc", "sentiment", label): 0 for label in SENTIMENT["sentiment"]}


def test_each_text_counts_once(classified, registry) -> None:
    classified.serve("stable", "abc", SENTIMENT)
    classified.count("stable", "abc", "sentiment", ["negative", "positive", "negative"])
    found = counts(registry)
    assert found[("stable", "abc", "sentiment", "negative")] == 2
    assert found[("stable", "abc", "sentiment", "neutral")] == 0
    assert sum(found.values()) == 3


def test_a_release_that_left_takes_its_series_along_and_what_it_still_answers_brings_none_back(
    classified, registry
) -> None:
    classified.serve("stable", "abc", SENTIMENT)
    classified.serve("canary", "def", SENTIMENT)
    classified.serve("stable", "ghi", {"intent": ("buy", "return")})
    classified.count("stable", "abc", "sentiment", ["negative"])
    assert {key[:3] for key in counts(registry)} == {("canary", "def", "sentiment"), ("stable", "ghi", "intent")}
    assert sum(counts(registry).values()) == 0
    classified.serve("canary", None, {})
    classified.count("canary", "def", "sentiment", ["negative"])
    assert {key[0] for key in counts(registry)} == {"stable"}


def test_before_any_release_nothing_is_counted(classified, registry) -> None:
    classified.count("stable", "abc", "sentiment", ["negative"])
    assert counts(registry) == {}


@pytest.mark.parametrize(("labels", "series"), [(MOST_LABELS, MOST_LABELS), (MOST_LABELS + 1, MOST_LABELS + 1)])
def test_a_task_of_as_many_labels_as_may_be_has_one_series_each(classified, registry, labels: int, series: int) -> None:
    classified.serve("stable", "abc", {"intent": [f"label-{at:03}" for at in range(labels)]})
    assert len(counts(registry)) == series
    assert (("stable", "abc", "intent", OTHER) in counts(registry)) is (labels > MOST_LABELS)


def test_of_hundreds_of_labels_the_last_are_counted_together(classified, registry) -> None:
    names = [f"label-{at:03}" for at in range(3 * MOST_LABELS)]
    classified.serve("stable", "abc", {"intent": names})
    classified.count("stable", "abc", "intent", names)
    found = counts(registry)
    assert len(found) == MOST_LABELS + 1
    assert found.pop(("stable", "abc", "intent", OTHER)) == 2 * MOST_LABELS
    assert set(found.values()) == {1}
