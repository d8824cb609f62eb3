"""Releases and the memory for them: what waits, what is refused, and what gives way."""

from collections.abc import Callable

import pytest

from model_image.server.releases import intake
from model_image.server.releases.memory import Memory
from model_image.server.releases.need import Served
from model_image.server.releases.release import Release


@pytest.fixture
def room(serving, monkeypatch) -> Callable[..., None]:
    """Gives the server room for so many releases, of which each takes 100 bytes."""
    monkeypatch.setattr(Release, "memory", Memory(100))
    monkeypatch.setattr(intake, "need", lambda folder, manifest, served: Memory(100))
    return lambda releases: setattr(serving.releases._room, "_budget", 100 * releases)


def test_a_release_that_does_not_fit_beside_the_others_is_refused_with_the_numbers(
    serving, folder_registry, make_release, room
) -> None:
    good = serving.releases.current.digest
    room(1)
    large = serving.promote(folder_registry, make_release("red hat"))
    assert serving.releases.current.digest == good
    assert serving.releases.refused.release == large
    assert "MB beside 0.0 MB in memory" in serving.releases.refused.reason


def test_a_release_that_fits_once_the_former_one_is_drained_waits_is_told_and_is_not_refused(
    serving, folder_registry, make_release, room, caplog
) -> None:
    room(2)
    with serving.releases.of(None):
        second = serving.promote(folder_registry, make_release("red hat"))
        third = serving.promote(folder_registry, make_release("red scarf"))
        serving.releases.poll()
        assert (serving.releases.current.digest, serving.releases.refused) == (second, None)
        assert serving.releases.waiting == third
        assert "serving_release_waiting 1.0" in serving.http.get("/metrics").text
    told = [record.fields["release"] for record in caplog.records if "waits for memory" in record.message]
    assert told == [third]
    serving.releases.poll()
    assert (serving.releases.current.digest, serving.releases.waiting) == (third, None)
    assert "serving_release_waiting 0.0" in serving.http.get("/metrics").text


def test_a_stable_release_without_room_beside_the_canary_ends_it_and_that_is_reported(
    serving, folder_registry, make_release, room
) -> None:
    """A way back must not be closed because a release is on trial."""
    room(2)
    canary = serving.canary(folder_registry, make_release("red hat"), 50)
    assert serving.releases.canary.digest == canary
    stable = serving.promote(folder_registry, make_release("red scarf"))
    assert (serving.releases.current.digest, serving.releases.refused) == (stable, None)
    assert serving.releases.canary.digest == canary  # the one before left: there is room again


def test_a_canary_that_gives_way_is_not_taken_again_before_the_stable_release(
    serving, folder_registry, make_release, room
) -> None:
    room(2)
    canary = serving.canary(folder_registry, make_release("red hat"), 50)
    former = serving.releases.canary
    held = serving.releases._service._now.canary
    assert held.hold()  # a request that the canary still answers
    stable = serving.promote(folder_registry, make_release("red scarf"))
    assert (serving.releases.canary, serving.releases.waiting) == (None, stable)
    held.leave()
    serving.releases.poll()
    assert serving.releases.current.digest == stable
    assert serving.releases.canary.digest == canary
    assert serving.releases.canary is not former


def test_a_canary_never_gives_way_to_a_release_that_would_not_fit_without_it(
    serving, folder_registry, make_release, room, monkeypatch
) -> None:
    room(2)
    canary = serving.canary(folder_registry, make_release("red hat"), 50)
    monkeypatch.setattr(intake, "need", lambda folder, manifest, served: Memory(101))
    large = serving.promote(folder_registry, make_release("red scarf"))
    assert (serving.releases.canary.digest, serving.releases.refused.release) == (canary, large)


def test_where_models_are_on_gpus_the_fullest_one_decides(serving, folder_registry, make_release, room, monkeypatch):
    room(10)
    monkeypatch.setattr(Release, "memory", Memory(0, 100))
    monkeypatch.setattr(Release, "served", Served(2.0, on_device=True))
    monkeypatch.setattr(intake, "need", lambda folder, manifest, served: Memory(0, 100))
    monkeypatch.setattr(serving.releases._room, "_on_device", lambda: 199)
    large = serving.promote(folder_registry, make_release("red hat"))
    assert serving.releases.refused.release == large
    assert "on a GPU" in serving.releases.refused.reason
    monkeypatch.setattr(serving.releases._room, "_on_device", lambda: 200)
    assert serving.promote(folder_registry, make_release("red scarf")) == serving.releases.current.digest
