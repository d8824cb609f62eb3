"""What may happen while a release is brought: another channel, a full disk, a process that was killed before."""

import shutil
from collections.abc import Callable
from typing import NamedTuple

import pytest

from model_image.server.backends.dummy import DummyBackend
from model_image.server.metrics import Metrics
from model_image.server.releases.release import Release, load_release
from model_image.server.releases.releases import Releases

Act = Callable[[], object]


class Moments(NamedTuple):
    """What to do once: in the middle of the next download, after it, after the next load."""

    download: list[Act]
    room: list[Act]
    load: list[Act]


@pytest.fixture
def during(serving, monkeypatch) -> Moments:
    """The channel is read at every opportunity, as if each took longer than a poll's interval."""
    serving.releases._lookout.seconds = 0.0
    moments = Moments([], [], [])
    store = "model_image.stores.folder.FolderStore.chunks"
    chunks = serving.releases._lookout._registry._store.chunks

    def watched(self, key):
        if key.endswith("catalogue.jsonl") and moments.download:
            moments.download.pop()()
        yield from chunks(key)

    monkeypatch.setattr(store, watched)
    load, has = serving.releases._intake._load, serving.releases._room.has

    def room(*given, **options) -> bool:
        if moments.room:
            moments.room.pop()()
        return has(*given, **options)

    monkeypatch.setattr(serving.releases._room, "has", room)

    def loaded(folder, digest):
        release = load(folder, digest)
        if moments.load:
            moments.load.pop()()
        return release

    monkeypatch.setattr(serving.releases._intake, "_load", loaded)
    return moments


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests of the releases that were closed, in order."""
    found: list[str] = []
    monkeypatch.setattr(Release, "close", lambda release: found.append(release.digest))
    return found


@pytest.mark.parametrize("moment", ["download", "room", "load"])
def test_a_rollback_does_not_wait_for_a_canary_that_is_on_its_way(
    serving, folder_registry, make_release, during, monkeypatch, closed, moment: str
) -> None:
    first = serving.releases.current.digest
    second = serving.promote(folder_registry, make_release("red hat"))
    took: list[str] = []
    take = serving.releases._service.take_stable
    monkeypatch.setattr(
        serving.releases._service, "take_stable", lambda release: (took.append("stable"), take(release))
    )
    monkeypatch.setattr(serving.releases._service, "take_canary", lambda *given: took.append("canary"))
    getattr(during, moment).append(lambda: folder_registry.promote("search", first, who="test", why="back"))
    closed.clear()
    canary = serving.canary(folder_registry, make_release("red scarf"), 50)
    assert took == ["stable", "canary"]
    assert serving.releases.current.digest == first
    assert closed == ([canary, second] if moment == "load" else [second])
    assert serving.releases.refused is None


def test_nothing_of_an_abandoned_download_stays(serving, folder_registry, make_release, during, tmp_path) -> None:
    first = serving.releases.current.digest
    unwanted = make_release("red hat")
    during.download.append(lambda: folder_registry.promote("search", first, who="test", why="never mind"))
    digest = serving.promote(folder_registry, unwanted)
    assert serving.releases.current.digest == first
    kept = {folder.name for folder in (tmp_path / "served" / "releases" / "search").iterdir()}
    assert digest not in kept
    assert not [name for name in kept if name.startswith(".")]


def test_another_percent_interrupts_nothing(serving, folder_registry, make_release, during, monkeypatch) -> None:
    digests: list[str] = []
    load = serving.releases._intake._load
    monkeypatch.setattr(
        serving.releases._intake, "_load", lambda folder, digest: (digests.append(digest), load(folder, digest))[1]
    )
    folder = make_release("red hat")
    canary = folder_registry.publish(folder)
    during.load.append(lambda: folder_registry.canary("search", canary, 20, who="test", why="more"))
    serving.canary(folder_registry, folder, 10)
    serving.releases.poll()
    assert digests == [canary]
    assert (serving.releases.canary.digest, serving.releases.canary_percent) == (canary, 20)


def test_a_server_that_starts_removes_what_a_killed_one_left_and_keeps_what_is_named(
    folder_registry, make_release, tmp_path
) -> None:
    digests = [folder_registry.publish(make_release(name)) for name in ("hat", "scarf", "coat")]
    for digest in digests:
        folder_registry.promote("search", digest, who="test", why="")
    held = tmp_path / "releases" / "search"
    for name in (".download-left", "sha256-nobody", *digests):
        (held / name).mkdir(parents=True)

    def load(folder, digest) -> Release:
        assert {folder.name for folder in held.iterdir()} == set(digests[1:])
        return load_release(folder, digest, DummyBackend())

    releases = Releases(registry=folder_registry, model="search", folder=tmp_path, load=load, metrics=Metrics())
    releases.poll()
    assert (releases.current.digest, releases.refused) == (digests[2], None)
    assert {folder.name for folder in held.iterdir()} == set(digests[1:])


def test_a_full_disk_is_cleaned_before_a_release_is_refused_for_it(
    serving, folder_registry, make_release, tmp_path, monkeypatch
) -> None:
    former = serving.releases.current.digest
    second = serving.promote(folder_registry, make_release("red hat"))
    held = tmp_path / "served" / "releases" / "search"
    (held / ".download-left").mkdir()
    usage = type(shutil.disk_usage("/"))

    def free(path):
        names = {folder.name for folder in held.iterdir()}
        return usage(10, 10, 0) if names & {former, ".download-left"} else usage(1 << 40, 0, 1 << 40)

    monkeypatch.setattr("model_image.download.shutil.disk_usage", free)
    third = serving.promote(folder_registry, make_release("red scarf"))
    assert (serving.releases.current.digest, serving.releases.refused) == (third, None)
    assert {folder.name for folder in held.iterdir()} == {second, third}
