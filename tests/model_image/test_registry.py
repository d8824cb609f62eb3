"""One suite for both registries: what holds for the folder holds for S3."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from model_image.artefact import ArtefactError, verify
from model_image.channel import ChannelError
from model_image.registry import Registry, open_registry
from model_image.registry_errors import (
    BrokenDownloadError,
    ChannelConflictError,
    DiskFullError,
    RegistryError,
    ReleaseNotFoundError,
)
from model_image.stores import ConflictError, ObjectStore, StoreError

MISSING = f"sha256-{'0' * 64}"


class Watched:
    """A store that records writes and lets a test act, or fail, at a chosen moment."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.uploads: list[str] = []
        self.fail_upload_of = ""
        self.before_put = lambda: None
        self.spoil = lambda key, chunks: chunks

    def upload(self, key: str, path: Path, *, sha256: str) -> bool:
        if self.fail_upload_of and key.endswith(self.fail_upload_of):
            raise StoreError("connection lost")
        wrote = self._store.upload(key, path, sha256=sha256)
        if wrote:
            self.uploads.append(key)
        return wrote

    def put(self, key: str, data: bytes, *, expected: str | None) -> None:
        self.before_put()
        self._store.put(key, data, expected=expected)

    def chunks(self, key: str) -> Iterator[bytes]:
        yield from self.spoil(key, self._store.chunks(key))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture
def watched(registry: Registry) -> Watched:
    return Watched(registry._store)


def test_a_published_release_downloads_identical(registry: Registry, make_release, tmp_path: Path) -> None:
    folder = make_release("red shoes")
    digest = registry.publish(folder)
    target = tmp_path / "data" / digest
    manifest = registry.download("search", digest, target)
    assert verify(target, digest) == manifest == verify(folder)
    assert [found.name for found in target.parent.iterdir()] == [digest]


def test_publishing_again_uploads_nothing_and_gives_the_same_digest(watched: Watched, make_release) -> None:
    registry = Registry(watched)
    folder = make_release("red shoes")
    first = registry.publish(folder)
    uploads = len(watched.uploads)
    assert registry.publish(folder) == first
    assert len(watched.uploads) == uploads


def test_an_interrupted_publishing_is_no_release_and_is_taken_up_where_it_stopped(
    watched: Watched, make_release
) -> None:
    registry = Registry(watched)
    folder = make_release("red shoes")
    digest = verify(folder).digest
    watched.fail_upload_of = "index.safetensors"
    with pytest.raises(StoreError, match="connection lost"):
        registry.publish(folder)
    with pytest.raises(ReleaseNotFoundError, match=digest):
        registry.manifest("search", digest)
    assert registry.releases("search") == []
    done = set(watched.uploads)
    watched.fail_upload_of = ""
    watched.uploads.clear()
    assert registry.publish(folder) == digest
    assert done.isdisjoint(watched.uploads)
    assert [manifest.digest for manifest in registry.releases("search")] == [digest]


def test_a_folder_that_changed_after_its_seal_is_not_published(registry: Registry, make_release) -> None:
    folder = make_release("red shoes")
    (folder / "catalogue.jsonl").write_bytes(b"{}\n")
    with pytest.raises(ArtefactError, match=r"catalogue\.jsonl"):
        registry.publish(folder)


def test_a_stored_file_is_never_overwritten(registry: Registry, make_release, tmp_path: Path) -> None:
    store = registry._store
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    sums = {
        one: "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
        other: "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35",
    }
    assert store.upload("releases/a/b", one, sha256=sums[one])
    assert not store.upload("releases/a/b", one, sha256=sums[one])
    with pytest.raises(ConflictError, match="other content"):
        store.upload("releases/a/b", other, sha256=sums[other])
    assert b"".join(store.chunks("releases/a/b")) == b"1"


def test_a_model_without_a_channel_has_nothing_stable(registry: Registry) -> None:
    channel = registry.channel("search")
    assert (channel.stable, channel.canary, channel.history) == (None, None, ())


def test_promotion_is_recorded_and_the_history_only_grows(registry: Registry, make_release) -> None:
    first, second = (registry.publish(make_release(title)) for title in ("red", "blue"))
    registry.promote("search", first, who="ada", why="first")
    channel = registry.promote("search", second, who="bob", why="better")
    assert channel == registry.channel("search")
    assert channel.stable == second
    assert [(change.release, change.who, change.why) for change in channel.history] == [
        (first, "ada", "first"),
        (second, "bob", "better"),
    ]


def test_promoting_what_is_stable_changes_nothing(registry: Registry, make_release) -> None:
    digest = registry.publish(make_release("red"))
    channel = registry.promote("search", digest, who="ada", why="first")
    assert registry.promote("search", digest, who="bob", why="again") == channel


def test_a_canary_is_recorded_beside_the_stable_release_and_ends(registry: Registry, make_release) -> None:
    stable, canary = (registry.publish(make_release(title)) for title in ("red", "blue"))
    registry.promote("search", stable, who="ada", why="first")
    registry.canary("search", canary, 5, who="bob", why="try")
    channel = registry.canary("search", canary, 20, who="bob", why="more")
    assert (channel.stable, channel.canary, channel.canary_percent) == (stable, canary, 20)
    ended = registry.end_canary("search", who="bob", why="worse")
    assert (ended.stable, ended.canary, ended.canary_percent) == (stable, None, 0)
    assert [(change.release, change.action) for change in ended.history] == [
        (stable, "promote"),
        (canary, "canary 5 %"),
        (canary, "canary 20 %"),
        (canary, "end canary"),
    ]
    assert registry.end_canary("search", who="bob", why="again") == ended


def test_promoting_the_canary_ends_it(registry: Registry, make_release) -> None:
    stable, canary = (registry.publish(make_release(title)) for title in ("red", "blue"))
    registry.promote("search", stable, who="ada", why="")
    registry.canary("search", canary, 50, who="ada", why="")
    channel = registry.promote("search", canary, who="ada", why="")
    assert (channel.stable, channel.canary, channel.canary_percent) == (canary, None, 0)


@pytest.mark.parametrize("percent", [-1, 0, 51, 100])
def test_a_canary_for_nobody_or_for_most_users_is_refused(registry: Registry, make_release, percent: int) -> None:
    stable, canary = (registry.publish(make_release(title)) for title in ("red", "blue"))
    before = registry.promote("search", stable, who="ada", why="")
    with pytest.raises(ChannelError, match=f"canary percent: {percent}, expected 1 to 50"):
        registry.canary("search", canary, percent, who="ada", why="")
    assert registry.channel("search") == before


def test_a_canary_needs_another_release_that_is_stable(registry: Registry, make_release) -> None:
    digest = registry.publish(make_release("red"))
    with pytest.raises(ChannelError, match=f"canary: {digest}, expected a stable release beside it"):
        registry.canary("search", digest, 5, who="ada", why="")
    registry.promote("search", digest, who="ada", why="")
    with pytest.raises(ChannelError, match=f"canary: {digest}, expected a release other than the stable one"):
        registry.canary("search", digest, 5, who="ada", why="")
    with pytest.raises(ReleaseNotFoundError, match="publish it first"):
        registry.canary("search", MISSING, 5, who="ada", why="")


def test_a_canary_and_a_promotion_at_once_do_not_overwrite_each_other(watched: Watched, make_release) -> None:
    quick, slow = Registry(watched._store), Registry(watched)
    first, canary, theirs = (quick.publish(make_release(title)) for title in ("red", "blue", "green"))
    quick.promote("search", first, who="ada", why="")
    watched.before_put = lambda: quick.promote("search", theirs, who="bob", why="")
    with pytest.raises(ChannelConflictError):
        slow.canary("search", canary, 5, who="ada", why="")
    assert (quick.channel("search").stable, quick.channel("search").canary) == (theirs, None)


def test_an_unpublished_release_cannot_be_promoted(registry: Registry) -> None:
    with pytest.raises(ReleaseNotFoundError, match="publish it first"):
        registry.promote("search", MISSING, who="ada", why="")
    assert registry.channel("search").stable is None


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(watched: Watched, make_release) -> None:
    quick, slow = Registry(watched._store), Registry(watched)
    first, mine, theirs = (quick.publish(make_release(title)) for title in ("red", "blue", "green"))
    quick.promote("search", first, who="ada", why="")
    watched.before_put = lambda: quick.promote("search", theirs, who="bob", why="")
    with pytest.raises(ChannelConflictError, match="look at the channel and try again"):
        slow.promote("search", mine, who="ada", why="")
    channel = quick.channel("search")
    assert (channel.stable, len(channel.history)) == (theirs, 2)


def test_of_two_first_promotions_at_once_one_wins(watched: Watched, make_release) -> None:
    quick, slow = Registry(watched._store), Registry(watched)
    mine, theirs = (quick.publish(make_release(title)) for title in ("blue", "green"))
    watched.before_put = lambda: quick.promote("search", theirs, who="bob", why="")
    with pytest.raises(ChannelConflictError):
        slow.promote("search", mine, who="ada", why="")
    assert quick.channel("search").stable == theirs


def test_no_promotion_of_many_at_once_is_lost(folder_registry: Registry, make_release) -> None:
    digests = [folder_registry.publish(make_release(f"title {at}")) for at in range(8)]

    def promote(digest: str) -> bool:
        try:
            folder_registry.promote("search", digest, who="x", why="")
        except ChannelConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = [digest for digest, ok in zip(digests, threads.map(promote, digests), strict=True) if ok]
    assert sorted(change.release for change in folder_registry.channel("search").history) == sorted(won)


def test_an_unchanged_channel_is_not_read_again(registry: Registry, make_release) -> None:
    digest = registry.publish(make_release("red"))
    seen = registry.promote("search", digest, who="ada", why="")
    assert registry.channel("search", unless=seen) is seen
    registry.promote("search", registry.publish(make_release("blue")), who="ada", why="")
    assert registry.channel("search", unless=seen) is not seen


@pytest.mark.parametrize(
    "spoil",
    [lambda data: data[:-1], lambda data: data + b"x", lambda data: b"?" + data[1:]],
    ids=["truncated", "too long", "altered"],
)
def test_wrong_bytes_are_refused_and_leave_nothing_behind(watched: Watched, make_release, tmp_path, spoil) -> None:
    registry = Registry(watched)
    digest = registry.publish(make_release("red"))
    watched.spoil = lambda key, chunks: [spoil(b"".join(chunks))] if key.endswith(".jsonl") else chunks
    with pytest.raises(BrokenDownloadError, match=r"catalogue\.jsonl"):
        registry.download("search", digest, tmp_path / "data" / digest)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_download_that_breaks_twice_succeeds_at_the_third_attempt(watched: Watched, make_release, tmp_path) -> None:
    registry = Registry(watched)
    digest = registry.publish(make_release("red"))
    breaks = iter(("broken", "broken"))

    def spoil(key: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        if key.endswith(".jsonl") and next(breaks, None):
            raise StoreError("connection lost")
        return chunks

    watched.spoil = spoil
    target = tmp_path / "data" / digest
    assert registry.download("search", digest, target) == verify(target)


def test_a_download_that_nobody_wants_any_more_ends_between_two_pieces(
    registry: Registry, make_release, tmp_path
) -> None:
    digest = registry.publish(make_release("red shoes"))

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        registry.download("search", digest, tmp_path / "data" / digest, go_on=stop)
    assert not list((tmp_path / "data").iterdir())


def test_a_release_larger_than_the_disk_is_refused_as_that(
    folder_registry: Registry, make_release, tmp_path, monkeypatch
) -> None:
    digest = folder_registry.publish(make_release("red shoes"))
    monkeypatch.setattr("model_image.download.shutil.disk_usage", lambda path: shutil._ntuple_diskusage(9, 8, 1))
    with pytest.raises(DiskFullError, match="1 bytes free, release sha256-"):
        folder_registry.download("search", digest, tmp_path / "data" / digest)


def test_a_damaged_local_copy_is_downloaded_again(registry: Registry, make_release, tmp_path) -> None:
    digest = registry.publish(make_release("red"))
    target = tmp_path / "data" / digest
    registry.download("search", digest, target)
    (target / "catalogue.jsonl").write_bytes(b"")
    registry.download("search", digest, target)
    assert verify(target, digest)


def test_a_release_under_a_wrong_digest_is_refused(folder_registry: Registry, make_release, tmp_path) -> None:
    digest = folder_registry.publish(make_release("red"))
    releases = tmp_path / "registry" / "releases" / "search"
    (releases / digest).rename(releases / MISSING)
    with pytest.raises(ArtefactError, match="belongs to"):
        folder_registry.download("search", MISSING, tmp_path / "data" / MISSING)


@pytest.mark.parametrize("address", ["", "s3://", "s3://Bad_Name", "s3://bucket/path", "http://host/x"])
def test_an_address_that_is_no_registry_is_refused(address: str) -> None:
    with pytest.raises(RegistryError, match="registry: "):
        open_registry(address)


@pytest.mark.parametrize(("model", "digest"), [("../x", MISSING), ("search", "../../etc"), ("Search", MISSING)])
def test_names_that_could_leave_their_folder_are_refused(registry: Registry, model: str, digest: str) -> None:
    with pytest.raises((RegistryError, ArtefactError), match="expected"):
        registry.manifest(model, digest)


def test_a_missing_folder_and_a_missing_bucket_are_told_as_such(s3_registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such folder"):
        open_registry(tmp_path / "none").channel("search")
    with pytest.raises(StoreError, match="no such bucket"):
        open_registry("s3://absent-bucket", s3_registry._store._bucket.client).channel("search")


def test_a_promotion_of_what_was_stable_is_told_that_it_is_so_no_more(registry: Registry, make_release) -> None:
    mine, theirs = (registry.publish(make_release(title)) for title in ("red", "blue"))
    seen = registry.promote("search", mine, who="ada", why="")
    assert registry.promote("search", mine, who="ada", why="", seen=seen) == seen
    registry.promote("search", theirs, who="bob", why="")
    with pytest.raises(ChannelConflictError, match="bob"):
        registry.promote("search", mine, who="ada", why="", seen=seen)
