"""What a server can rely on when it asks the cache instead of the registry."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from model_image.artefact import verify
from model_image.cache import mirror as mirrors
from model_image.registry import Registry
from model_image.registry_errors import RegistryError
from model_image.stores import NotFoundError, StoreError
from tests.model_image.cache.conftest import Cache, Start

ABSENT = f"sha256-{'0' * 64}"


def get(cache: Cache, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.request("GET", f"{cache.address}{path}", headers=named, retries=False)


def metric(cache: Cache, name: str) -> float:
    lines = get(cache, "/metrics").data.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def test_a_server_gets_channel_and_release_as_the_registry_has_them(
    cache: Cache, folder_registry: Registry, promote: Callable[..., str], tmp_path: Path
) -> None:
    digest = promote("red shoes", "blue kettle")
    cache.mirror.look()
    assert cache.registry.channel("search").history == folder_registry.channel("search").history
    assert cache.registry.channel("search").stable == digest
    cache.registry.download("search", digest, tmp_path / "served")
    assert verify(tmp_path / "served", digest).files == folder_registry.manifest("search", digest).files


def test_an_unchanged_channel_is_not_sent_again(cache: Cache, promote: Callable[..., str]) -> None:
    promote("red shoes")
    cache.mirror.look()
    channel = cache.registry.channel("search")
    assert cache.registry.channel("search", unless=channel) is channel
    assert get(cache, "/channels/search.json", If_None_Match=channel.etag or "").status == 304
    promote("green hose")
    cache.mirror.look()
    assert cache.registry.channel("search", unless=channel).stable != channel.stable


def test_replicas_name_the_same_version_of_a_channel(start: Start, promote: Callable[..., str], tmp_path: Path) -> None:
    promote("red shoes")
    with start() as one, start(data=tmp_path / "second volume") as other:
        one.mirror.look()
        other.mirror.look()
        channel = one.registry.channel("search")
        assert other.registry.channel("search", unless=channel) is channel


def test_it_serves_while_the_registry_is_cut_off_and_after_a_restart_in_that_time(
    start: Start, promote: Callable[..., str], cut: Callable[[], object], tmp_path: Path
) -> None:
    digest = promote("red shoes")
    with start() as first:
        first.mirror.look()
        cut()
        first.mirror.look()
        assert get(first, "/readyz").status == 200
        assert metric(first, "registry_cache_sync_failures_total") == 1
    with start() as second:
        assert get(second, "/readyz").status == 503
        second.mirror.look()
        assert json.loads(get(second, "/readyz").data)["stable"] == digest
        second.registry.download("search", second.registry.channel("search").stable or "", tmp_path / "served")
        assert metric(second, "registry_cache_last_sync_timestamp_seconds") == 0


def test_a_damaged_file_is_never_handed_on_whole_and_is_brought_again(
    cache: Cache, promote: Callable[..., str], tmp_path: Path
) -> None:
    digest = promote("red shoes")
    cache.mirror.look()
    damage(cache, digest, "catalogue.jsonl")
    with pytest.raises(StoreError):
        cache.registry.download("search", digest, tmp_path / "served")
    assert not (tmp_path / "served").exists()
    assert get(cache, "/readyz").status == 503
    cache.mirror.look()
    assert metric(cache, "registry_cache_broken_releases_total") == 1
    cache.registry.download("search", digest, tmp_path / "served")


@pytest.mark.parametrize("spoil", [lambda file: file.unlink(), lambda file: file.write_bytes(b"x" * 3_000_000)])
def test_a_missing_or_longer_file_is_noticed_like_a_changed_one(
    cache: Cache, promote: Callable[..., str], spoil: Callable[[Path], object], tmp_path: Path
) -> None:
    digest = promote("red shoes")
    cache.mirror.look()
    spoil(cache.shelf.folder / digest / "index.safetensors")
    with pytest.raises(StoreError):
        cache.registry.download("search", digest, tmp_path / "served")
    cache.mirror.look()
    cache.registry.download("search", digest, tmp_path / "served")


def test_a_damaged_manifest_is_not_handed_on(cache: Cache, promote: Callable[..., str]) -> None:
    digest = promote("red shoes")
    cache.mirror.look()
    damage(cache, digest, "manifest.json")
    with pytest.raises(StoreError, match="503"):
        cache.registry.manifest("search", digest)
    cache.mirror.look()
    assert cache.registry.manifest("search", digest).digest == digest


def test_damage_done_while_it_was_stopped_is_found_at_the_start(start: Start, promote: Callable[..., str]) -> None:
    digest = promote("red shoes")
    with start() as first:
        first.mirror.look()
        damage(first, digest, "catalogue.jsonl")
    with start() as second:
        second.mirror.look()
        assert second.registry.manifest("search", digest).digest == digest
        second.shelf.check(digest)


def test_damage_that_nobody_reads_is_found_in_time(
    cache: Cache, promote: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = promote("red shoes")
    cache.mirror.look()
    damage(cache, digest, "catalogue.jsonl")
    monkeypatch.setattr(mirrors, "CHECK_SECONDS", 0)
    cache.mirror.look()
    assert metric(cache, "registry_cache_broken_releases_total") == 1
    cache.shelf.check(digest)


def test_before_the_first_look_it_does_not_say_that_nothing_was_promoted(cache: Cache) -> None:
    with pytest.raises(StoreError, match="503") as raised:
        cache.registry.channel("search")
    assert not isinstance(raised.value, NotFoundError)
    cache.mirror.look()
    assert cache.registry.channel("search").stable is None


def test_a_release_that_is_not_here_may_still_exist(cache: Cache, promote: Callable[..., str]) -> None:
    promote("red shoes")
    cache.mirror.look()
    with pytest.raises(StoreError, match="503"):
        cache.registry.manifest("search", ABSENT)


def test_what_no_release_holds_is_not_found(cache: Cache, promote: Callable[..., str]) -> None:
    digest = promote("red shoes")
    cache.mirror.look()
    assert get(cache, f"/releases/search/{digest}/secret.txt").status == 404
    assert get(cache, f"/releases/search/{digest}/../../../../etc/passwd").status in (404, 503)
    assert get(cache, f"/releases/search/{digest}/%2e%2e/{digest}/manifest.json").status in (404, 503)
    assert get(cache, "/channels/other.json").status == 404


def test_nothing_is_written_through_the_cache(cache: Cache, promote: Callable[..., str], make_release) -> None:
    earlier = promote("red shoes")
    promote("blue kettle")
    cache.mirror.look()
    with pytest.raises(StoreError, match="read only"):
        cache.registry.promote("search", earlier, who="test", why="roll back")
    with pytest.raises(StoreError):
        cache.registry.publish(make_release("another"))
    with pytest.raises(StoreError, match="lists nothing"):
        cache.registry.releases("search")


def test_a_cache_that_is_away_is_a_store_that_cannot_be_reached(start: Start) -> None:
    with start() as running:
        pass
    with pytest.raises(StoreError, match=running.address):
        running.registry.channel("search")


@pytest.mark.parametrize("address", ["https://cache:8080", "http://", "http://cache/path", "http://user@cache"])
def test_other_addresses_of_a_cache_are_refused(address: str) -> None:
    from model_image.registry import open_registry

    with pytest.raises(RegistryError, match=address):
        open_registry(address)


def damage(cache: Cache, digest: str, path: str) -> None:
    file = cache.shelf.folder / digest / path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
