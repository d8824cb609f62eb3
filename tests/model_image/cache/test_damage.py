"""Damage and refusals of the volume: only wrong bytes cost a release, and nothing stops the cache for good."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from model_image import artefact
from model_image.cache import mirror as mirrors
from model_image.cache.shelf import Shelf
from model_image.stores import StoreError
from tests.model_image.cache.conftest import Cache

Fail = Callable[[str, int], object]


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Makes opening each file of the volume whose path has `part` fail with `number`; 0 repairs it."""
    opened = Path.open
    failing: dict[str, int] = {}

    def open_or_fail(self: Path, *arguments: object, **options: object) -> object:
        for part, number in failing.items():
            if number and "volume" in str(self) and part in str(self):
                raise OSError(number, "test", str(self))
        return opened(self, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", open_or_fail)
    return failing.__setitem__


def spoil(shelf: Shelf, digest: str) -> None:
    (shelf.folder / digest / "catalogue.jsonl").write_bytes(b"wrong")


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.EACCES])
def test_an_unreadable_earlier_release_does_not_keep_the_stable_one_from_being_served(
    make, promote: Callable[..., str], cut: Callable[[], object], fail: Fail, number: int
) -> None:
    mirror, _ = make()
    earlier, stable = promote("red shoes"), promote("blue kettle")
    mirror.look()
    cut()
    fail(f"{earlier}/catalogue.jsonl", number)
    mirror, shelf = make()
    mirror.look()
    assert (set(shelf.releases), shelf.whole, shelf.channel.stable) == ({stable}, True, stable)


def test_what_could_not_be_read_at_the_start_is_offered_again_without_a_download(
    make, promote: Callable[..., str], fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, _ = make()
    stable = promote("red shoes")
    mirror.look()
    fail(f"{stable}/catalogue.jsonl", errno.EMFILE)
    mirror, shelf = make()
    mirror.look()
    assert (shelf.whole, shelf.channel.stable) == (False, stable)
    fail(f"{stable}/catalogue.jsonl", 0)
    mirror._clock = lambda: 1e12
    monkeypatch.setattr("model_image.registry.registry.download", lambda *arguments: pytest.fail("downloaded"))
    mirror.look()
    assert shelf.whole


def test_a_channel_that_cannot_be_read_is_brought_again(make, promote: Callable[..., str], fail: Fail) -> None:
    mirror, _ = make()
    stable = promote("red shoes")
    mirror.look()
    fail("channels/search.json", errno.EIO)
    mirror, shelf = make()
    fail("search.new", 0)
    mirror.look()
    assert shelf.channel.stable == stable


def test_an_hourly_check_that_cannot_read_a_release_keeps_it_and_comes_an_hour_later(
    make, promote: Callable[..., str], fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, shelf = make()
    stable = promote("red shoes")
    mirror._clock = lambda: 0.0
    mirror.look()
    checks = count_checks(shelf, monkeypatch)
    fail(f"{stable}/catalogue.jsonl", errno.EMFILE)
    mirror._clock = lambda: mirrors.CHECK_SECONDS
    for _ in range(3):
        mirror.look()
        assert (checks, mirror.trouble, shelf.whole) == ([stable], "", True)


def test_files_that_the_disk_lost_are_brought_again(make, promote: Callable[..., str], fail: Fail) -> None:
    mirror, shelf = make()
    stable = promote("red shoes")
    mirror._clock = lambda: 0.0
    mirror.look()
    held = shelf.releases[stable]
    fail(f"{stable}/catalogue.jsonl", errno.EIO)
    mirror._registry.channel = lambda *a, **k: fail(f"{stable}/catalogue.jsonl", 0) or promoted  # after the check
    promoted = shelf.channel
    mirror._clock = lambda: mirrors.CHECK_SECONDS
    mirror.look()
    assert shelf.whole
    assert shelf.releases[stable] is not held


def test_a_slow_reader_of_a_damaged_copy_does_not_drop_the_one_that_came_since(
    make, promote: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, shelf = make()
    stable = promote("red shoes")
    mirror.look()
    old = shelf.releases[stable]
    spoil(shelf, stable)
    mirror.doubt(stable, old)
    mirror.look()
    fresh = shelf.releases[stable]
    assert fresh is not old
    checks = count_checks(shelf, monkeypatch)
    mirror.doubt(stable, old)
    assert shelf.offered(stable) is fresh
    mirror.look()
    assert (shelf.releases[stable], checks) == (fresh, [])


def test_a_reader_removes_nothing_itself_and_a_release_that_proves_right_is_offered_again(
    make, promote: Callable[..., str]
) -> None:
    mirror, shelf = make()
    stable = promote("red shoes")
    mirror.look()
    held = shelf.releases[stable]
    mirror.doubt(stable, held)
    assert (shelf.offered(stable), shelf.whole) == (None, False)
    assert artefact.verify(shelf.folder / stable, stable)
    mirror.look()
    assert shelf.offered(stable) is held


@pytest.mark.parametrize(("name", "answer"), [("catalogue.jsonl", "broken"), ("manifest.json", "status 503")])
def test_a_read_error_that_says_nothing_about_the_bytes_costs_one_answer_and_no_release(
    cache: Cache, promote: Callable[..., str], fail: Fail, tmp_path: Path, name: str, answer: str
) -> None:
    stable = promote("red shoes")
    cache.mirror.look()
    held = cache.shelf.releases[stable]
    fail(f"{stable}/{name}", errno.EMFILE)
    with pytest.raises(StoreError, match=answer):
        cache.registry.download("search", stable, tmp_path / "served")
    cache.mirror.look()
    assert cache.shelf.offered(stable) is held
    fail(f"{stable}/{name}", 0)
    cache.registry.download("search", stable, tmp_path / "served")


def count_checks(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    checks: list[str] = []
    original = shelf.check
    monkeypatch.setattr(shelf, "check", lambda digest: checks.append(digest) or original(digest))
    return checks
