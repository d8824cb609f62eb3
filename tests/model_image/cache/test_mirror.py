"""How the cache follows the registry: nothing half there, nothing too much, nothing twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from model_image.artefact import ArtefactError
from model_image.cache.config import read_config
from model_image.cache.mirror import Mirror
from model_image.cache.supply import RETRY_SECONDS
from model_image.registry import Registry
from model_image.stores import StoreError
from model_image.words import ConfigError


def spoil(registry: Registry, digest: str) -> Callable[[], object]:
    """Damage a release in the registry; returns the function that repairs it."""
    file = Path(str(registry)) / "releases" / "search" / digest / "catalogue.jsonl"
    right = file.read_bytes()
    file.write_bytes(right[:-2] + b"!\n")
    return lambda: file.write_bytes(right)


def test_a_release_that_arrives_broken_is_told_and_the_channel_is_not_handed_on(
    make, promote: Callable[..., str], folder_registry: Registry
) -> None:
    mirror, shelf = make()
    good = promote("red shoes")
    mirror.look()
    bad = promote("blue kettle")
    repair = spoil(folder_registry, bad)
    mirror.look()
    assert "BrokenDownloadError" in mirror.trouble
    assert bad in mirror.trouble
    assert shelf.channel
    assert (shelf.channel.stable, set(shelf.releases)) == (good, {good})
    repair()
    mirror._clock = lambda: 1e12  # past the time for another try
    mirror.look()
    assert (mirror.trouble, shelf.channel.stable) == ("", bad)


def test_a_broken_release_is_not_downloaded_at_every_look(
    make, promote: Callable[..., str], folder_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, _ = make()
    spoil(folder_registry, promote("red shoes"))
    tried = []
    monkeypatch.setattr(mirror._registry, "download", lambda *a, **k: tried.append(a) or Registry.download(
        folder_registry, *a, **k))  # fmt: skip
    now = 1000.0
    mirror._clock = lambda: now
    for _ in range(5):
        mirror.look()
    assert len(tried) == 1
    assert "BrokenDownloadError" in mirror.trouble
    now += RETRY_SECONDS
    mirror.look()
    assert len(tried) == 2


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ArtefactError("manifest: broken")])
def test_a_full_disk_or_a_broken_manifest_is_not_met_at_every_look(
    make, promote: Callable[..., str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    mirror, _ = make()
    promote("red shoes")
    tried = fail_download(mirror, monkeypatch, error)
    now = 1000.0
    mirror._clock = lambda: now
    for _ in range(5):
        mirror.look()
    assert len(tried) == 1
    now += RETRY_SECONDS
    mirror.look()
    assert len(tried) == 2


@pytest.mark.parametrize("error", [StoreError("denied"), ArtefactError("broken"), OSError(28, "full")])
def test_an_earlier_release_that_cannot_be_brought_holds_up_nothing(
    make, promote: Callable[..., str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    digests = [promote(title) for title in ("one", "two", "three", "four")]
    mirror, shelf = make(rollbacks=3)
    mirror.look()
    shelf.drop(digests[2])
    mirror._rollbacks = 2
    mirror._metrics._clock = lambda: 77.0
    fail_download(mirror, monkeypatch, error)
    mirror.look()
    assert (mirror.trouble, set(shelf.releases)) == ("", {digests[1], digests[3]})
    assert b"registry_cache_last_sync_timestamp_seconds 77.0" in mirror._metrics.text()


def test_a_rollback_reaches_the_site_although_the_canary_is_broken(
    make, promote: Callable[..., str], folder_registry: Registry, name_canary: Callable[[str], object], make_release
) -> None:
    first, second = promote("one"), promote("two")
    mirror, shelf = make()
    mirror.look()
    canary = folder_registry.publish(make_release("three"))
    repair = spoil(folder_registry, canary)
    name_canary(canary)
    mirror.look()
    assert canary in mirror.trouble
    assert (shelf.channel.stable, shelf.channel.canary, shelf.whole) == (second, canary, True)
    folder_registry.promote("search", first, who="test", why="roll back")
    mirror.look()
    assert (shelf.channel.stable, shelf.whole) == (first, True)
    repair()
    mirror._clock = lambda: 1e12
    mirror.look()
    assert mirror.trouble == ""
    assert canary in shelf.releases


def test_a_canary_takes_no_room_from_the_stable_release_and_gives_up_none_in_vain(
    make, promote: Callable[..., str], folder_registry: Registry, name_canary: Callable[[str], object], make_release
) -> None:
    first, second = promote("one"), promote("two")
    big = folder_registry.publish(make_release(*(f"title {at}" for at in range(300))))
    size = max(folder_registry.manifest("search", digest).size for digest in (first, second))
    mirror, shelf = make(bytes=2 * size)
    mirror.look()
    name_canary(big)
    mirror.look()
    assert "raise cache.size" in mirror.trouble
    assert set(shelf.releases) == {first, second}
    third = promote("six")
    mirror.look()
    assert shelf.channel.stable == third


def test_the_last_releases_stay_for_a_rollback_and_older_ones_go(make, promote: Callable[..., str]) -> None:
    mirror, shelf = make(rollbacks=2)
    promoted = []
    for title in ("one", "two", "three", "four", "five"):
        promoted.append(promote(title))
        mirror.look()
    assert set(shelf.releases) == set(promoted[2:])
    assert {folder.name for folder in shelf.folder.iterdir()} == set(promoted[2:])


def test_a_new_cache_brings_the_releases_for_a_rollback_too(make, promote: Callable[..., str]) -> None:
    promoted = [promote(title) for title in ("one", "two", "three")]
    mirror, shelf = make(rollbacks=1)
    mirror.look()
    assert set(shelf.releases) == set(promoted[1:])


def test_a_rollback_needs_no_download(
    make, promote: Callable[..., str], folder_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, shelf = make()
    first = promote("one")
    mirror.look()
    promote("two")
    mirror.look()
    folder_registry.promote("search", first, who="test", why="roll back")
    monkeypatch.setattr(mirror._registry, "download", lambda *a, **k: pytest.fail("downloaded"))
    mirror.look()
    assert shelf.channel.stable == first


def test_the_bound_is_kept_by_giving_up_earlier_releases(make, promote, folder_registry: Registry) -> None:
    digests = [promote("one"), promote("two"), promote("three")]
    size = max(folder_registry.manifest("search", digest).size for digest in digests)
    mirror, shelf = make(rollbacks=5, bytes=2 * size)
    mirror.look()
    assert set(shelf.releases) == set(digests[1:])
    newest = promote("four")
    mirror.look()
    assert shelf.channel.stable == newest
    assert shelf.size <= 2 * size
    assert {newest, digests[2]} == set(shelf.releases)


def test_a_bound_below_one_release_says_what_to_raise(make, promote: Callable[..., str]) -> None:
    digest = promote("one")
    mirror, shelf = make(bytes=10)
    mirror.look()
    assert digest in mirror.trouble
    assert "raise cache.size" in mirror.trouble
    assert shelf.channel is None


def test_a_channel_that_vanished_does_not_take_the_site_down(make, promote: Callable[..., str], tmp_path: Path) -> None:
    mirror, shelf = make()
    digest = promote("one")
    mirror.look()
    (tmp_path / "registry" / "channels" / "search.json").unlink()
    mirror.look()
    assert "promote a release again" in mirror.trouble
    assert shelf.channel.stable == digest
    assert shelf.whole


def test_a_channel_on_the_volume_that_cannot_be_read_is_brought_again(make, promote: Callable[..., str]) -> None:
    digest = promote("one")
    mirror, shelf = make()
    mirror.look()
    shelf._file.write_bytes(b"{")
    mirror, shelf = make()
    mirror.look()
    assert shelf.channel.stable == digest


def test_half_a_download_of_an_earlier_life_is_removed(make, promote: Callable[..., str]) -> None:
    digest = promote("one")
    mirror, shelf = make()
    (shelf.folder / ".download-x" / digest).mkdir(parents=True)
    mirror.look()
    assert [folder.name for folder in shelf.folder.iterdir()] == [digest]


@pytest.mark.parametrize(
    ("word", "value", "rule"),
    [
        ("CACHE_REGISTRY", "", "expected s3"),
        ("CACHE_BYTES", "0", "from 1"),
        ("CACHE_BYTES", "5Gi", "whole number"),
        ("CACHE_POLL_SECONDS", "0", "from 0.05"),
        ("CACHE_ROLLBACK", "2", "unknown"),
    ],
)
def test_bad_words_are_refused_by_name_value_and_rule(word: str, value: str, rule: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config({"CACHE_REGISTRY": "s3://models", word: value})
    for part in (word, rule):
        assert part in str(raised.value)


def test_the_words_of_other_programs_are_none_of_its_business() -> None:
    config = read_config({"CACHE_REGISTRY": "s3://models", "CACHE_BYTES": "100", "PATH": "/bin"})
    assert (config.registry, config.bytes, config.model) == ("s3://models", 100, "search")


def fail_download(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[object]:
    tried: list[object] = []

    def fail(*arguments: object) -> None:
        tried.append(arguments)
        raise error

    monkeypatch.setattr(mirror._registry, "download", fail)
    return tried
