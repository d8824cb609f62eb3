"""Evaluations beside a release, and what becomes of one that nobody can read."""

import pytest

from model_image import evaluation
from model_image.registry import Registry, difference, gated, views
from model_image.registry_errors import GateError, ReleaseNotFoundError
from tests.model_image.registry.conftest import measure, measured
from tests.model_image.registry.test_gated import BETTER, promote


def test_evaluations_are_those_of_the_folder_and_those_recorded_later_the_oldest_first(registry, sealed) -> None:
    inside, later = measured(created="2026-01-01"), measured(created="2026-02-01")
    digest = registry.publish(sealed("red", inside))
    key = registry.record_evaluation("search", digest, later)
    assert registry.record_evaluation("search", digest, later) == key
    assert registry.evaluations("search", digest) == [inside, later]
    assert key.startswith(f"evaluations/search/{digest}/")


def test_an_evaluation_needs_its_release_and_one_that_cannot_be_read_is_named(registry: Registry, sealed) -> None:
    with pytest.raises(ReleaseNotFoundError):
        registry.record_evaluation("search", f"sha256-{'0' * 64}", measured())
    digest = registry.publish(sealed("red"))
    registry.store.put(f"evaluations/search/{digest}/x.json", b"{}", expected=None)
    with pytest.raises(evaluation.EvaluationError, match=r"x\.json"):
        registry.evaluations("search", digest)


def test_an_evaluation_that_could_not_be_read_again_is_not_recorded(registry: Registry, two) -> None:
    nan = measure(float("nan"), float("nan"))  # JSON has none, so it would come back as null
    with pytest.raises(evaluation.EvaluationError):
        registry.record_evaluation("search", two[1], measured(nan, other=two[0]))
    assert registry.evaluations("search", two[1]) == []


@pytest.mark.parametrize("of", [0, 1], ids=["of the stable release", "of the candidate"])
def test_an_unreadable_evaluation_is_an_objection_that_force_goes_around_and_views_show(registry, two, of) -> None:
    registry.record_evaluation("search", two[1], measured(BETTER, other=two[0]))
    registry.store.put(f"evaluations/search/{two[of]}/x.json", b"{}", expected=None)
    with pytest.raises(GateError) as refused:
        promote(registry, two[1])
    assert "x.json" in refused.value.reasons[0]
    with pytest.raises(GateError):
        gated.promote_published(registry, "search", two[1], who="up", why="new catalogue")
    rows = {row["digest"]: row for row in views.releases(registry, "search")}
    assert ["x.json" in str(rows[digest]["unreadable"]) for digest in two] == [of == 0, of == 1]
    assert f"cannot be read: {registry}" in views.releases_table(list(rows.values()))
    assert "x.json" in str(views.release(registry, "search", two[of])["unreadable"])
    assert "cannot be read" in [line.what for line in difference.difference(registry, "search", *two)]
    assert "x.json" in promote(registry, two[1], force=True).history[-1].forced[0]
