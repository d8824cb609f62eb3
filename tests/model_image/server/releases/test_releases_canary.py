"""Two releases beside each other: who is answered by which, and what happens to the one that goes."""

import pytest

from model_image.canary import chosen
from model_image.server.releases.release import Release
from model_image.stores import StoreError

USERS = [f"user-{number}" for number in range(200)]


def answers(server, user: str | None) -> str:
    """The release that answers `user`."""
    headers = {"serving-user": user} if user else {}
    response = server.http.post("/v1/search", json={"query": "red", "k": 1}, headers=headers)
    assert response.status_code == 200
    assert response.headers["serving-release"] == response.json()["release"]
    return str(response.json()["release"])


def on_canary(percent: int) -> str:
    return next(user for user in USERS if chosen("search", user, percent))


def off_canary(percent: int) -> str:
    return next(user for user in USERS if not chosen("search", user, percent))


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests of the releases that were closed, in order."""
    found: list[str] = []
    monkeypatch.setattr(Release, "close", lambda release: found.append(release.digest))
    return found


def test_the_canary_answers_its_users_and_the_stable_release_all_others(serving, folder_registry, make_release) -> None:
    stable = serving.releases.current.digest
    canary = serving.canary(folder_registry, make_release("red hat"), 20)
    for user in USERS[:20]:
        assert answers(serving, user) == (canary if chosen("search", user, 20) else stable)
    assert answers(serving, None) == stable
    ready = serving.http.get("/readyz").json()
    assert (ready["release"], ready["canary"], ready["canary_percent"]) == (stable, canary, 20)
    text = serving.http.get("/metrics").text
    assert f'serving_release_info{{release="{stable}"}} 1.0' in text
    assert f'serving_release_info{{release="{canary}"}}' not in text  # the watch counts releases by it
    assert f'serving_canary_info{{release="{canary}"}} 1.0' in text


def test_another_percent_moves_users_and_loads_nothing(serving, folder_registry, make_release) -> None:
    folder = make_release("red hat")
    serving.canary(folder_registry, folder, 5)
    release, user = (
        serving.releases.canary,
        next(user for user in USERS if chosen("search", user, 50) and not chosen("search", user, 5)),
    )
    assert answers(serving, user) == serving.releases.current.digest
    canary = serving.canary(folder_registry, folder, 50)
    assert answers(serving, user) == canary
    assert serving.releases.canary is release


def test_a_canary_that_ended_answers_nobody_and_is_closed_once_its_requests_are_done(
    serving, folder_registry, make_release, closed: list[str]
) -> None:
    canary = serving.canary(folder_registry, make_release("red hat"), 50)
    with serving.releases.of(on_canary(50)) as held:
        assert held.digest == canary
        folder_registry.end_canary("search", who="test", why="answers badly")
        serving.releases.poll()
        assert answers(serving, on_canary(50)) == serving.releases.current.digest
        assert (serving.releases.canary, serving.releases.canary_percent, closed) == (None, 0, [])
    serving.releases.poll()
    serving.releases.poll()
    assert closed == [canary]
    assert "serving_canary_info{" not in serving.http.get("/metrics").text


def test_a_promoted_canary_is_not_loaded_again_and_the_former_stable_release_is_closed(
    serving, folder_registry, make_release, closed: list[str], tmp_path
) -> None:
    former = serving.releases.current.digest
    canary = serving.canary(folder_registry, make_release("red hat"), 50)
    release = serving.releases.canary
    folder_registry.promote("search", canary, who="test", why="")
    serving.releases.poll()
    assert (serving.releases.current, serving.releases.canary) == (release, None)
    assert closed == [former]
    assert answers(serving, off_canary(50)) == canary
    kept = {folder.name for folder in (tmp_path / "served" / "releases" / "search").iterdir()}
    assert kept == {former, canary}


def test_a_new_stable_release_leaves_the_canary_as_it_is(serving, folder_registry, make_release, closed) -> None:
    former = serving.releases.current.digest
    canary = serving.canary(folder_registry, make_release("red hat"), 50)
    stable = serving.promote(folder_registry, make_release("red scarf"))
    assert answers(serving, on_canary(50)) == canary
    assert answers(serving, off_canary(50)) == stable
    assert closed == [former]


def test_a_refused_canary_is_reported_and_its_users_get_the_stable_release(
    serving, folder_registry, make_release
) -> None:
    stable = serving.releases.current.digest
    broken = make_release("red hat", break_it=lambda folder: (folder / "index.safetensors").unlink())
    canary = serving.canary(folder_registry, broken, 50)
    assert answers(serving, on_canary(50)) == stable
    ready = serving.http.get("/readyz").json()
    assert (ready["ready"], ready["canary"], ready["refused"]["release"]) == (True, None, canary)
    assert "serving_release_refused_total 1.0" in serving.http.get("/metrics").text
    folder_registry.end_canary("search", who="test", why="")
    serving.releases.poll()
    assert serving.releases.refused is None


def test_a_canary_that_is_not_to_be_had_yet_is_neither_refused_nor_in_the_way(
    serving, folder_registry, make_release, monkeypatch
) -> None:
    """The cache of a site hands the channel on as soon as it has the stable release, maybe before it has the canary."""
    whole = type(folder_registry).download
    canary = folder_registry.publish(make_release("red hat"))

    def partly(registry, model, digest, target, **options):
        if digest == canary:
            raise StoreError("503")
        return whole(registry, model, digest, target, **options)

    monkeypatch.setattr("model_image.registry.Registry.download", partly)
    folder_registry.canary("search", canary, 50, who="test", why="")
    stable = serving.promote(folder_registry, make_release("red scarf"))
    assert answers(serving, on_canary(50)) == stable
    assert (serving.releases.refused, serving.releases.reachable) == (None, True)
    monkeypatch.undo()
    serving.releases.poll()
    assert answers(serving, on_canary(50)) == canary


def test_a_refusal_is_not_reported_once_the_channel_names_another_release(
    serving, folder_registry, make_release, monkeypatch
) -> None:
    broken = make_release("red hat", break_it=lambda folder: (folder / "index.safetensors").unlink())
    serving.canary(folder_registry, broken, 50)
    assert serving.releases.refused
    other = folder_registry.publish(make_release("red scarf"))
    folder_registry.canary("search", other, 50, who="test", why="")

    def cut(*arguments: object, **options: object) -> None:
        raise StoreError("503")

    monkeypatch.setattr("model_image.registry.Registry.download", cut)
    serving.releases.poll()
    assert (serving.releases.canary, serving.releases.refused) == (None, None)


def test_the_former_release_is_closed_when_its_last_request_is_done(
    serving, folder_registry, make_release, closed: list[str]
) -> None:
    former = serving.releases.current.digest
    with serving.releases.of(None) as first, serving.releases.of("somebody") as second:
        assert first is second
        serving.promote(folder_registry, make_release("red hat"))
        serving.releases.poll()
        assert closed == []
    serving.releases.poll()
    serving.releases.poll()
    assert closed == [former]


def test_nothing_is_served_by_a_canary_alone(server, folder_registry, make_release) -> None:
    broken = make_release("red hat", break_it=lambda folder: (folder / "index.safetensors").unlink())
    server.promote(folder_registry, broken)
    server.canary(folder_registry, make_release("red scarf"), 50)
    assert (server.releases.current, server.releases.canary) == (None, None)
    assert server.http.get("/readyz").status_code == 503
