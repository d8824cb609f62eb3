import pytest

from model_image.registry_errors import BrokenDownloadError, DiskFullError
from model_image.server.releases.memory import NoRoomError
from model_image.server.releases.release import BadReleaseError
from model_image.server.releases.retry import LATEST_SECONDS, SOON_SECONDS, Retries


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def waits(error: Exception, times: int, chance: float = 0.0) -> list[float]:
    """Seconds between one refusal and the next try, as often as told."""
    time = Time()
    retries, found = Retries(time, lambda: chance), []
    for _ in range(times):
        begun = time.now
        retries.later("stable", error)
        assert not retries.due("stable")
        while not retries.due("stable"):
            time.now += 15.0
        found.append(time.now - begun)
    return found


def test_what_fails_by_itself_is_tried_ever_later() -> None:
    assert waits(BadReleaseError(), 8) == [60, 120, 240, 480, 960, 1800, 1800, 1800]


@pytest.mark.parametrize("error", [NoRoomError(), DiskFullError(), BrokenDownloadError(), OSError()], ids=repr)
def test_what_may_be_mended_from_outside_is_tried_every_minute(error: Exception) -> None:
    assert waits(error, 5) == [SOON_SECONDS] * 5


def test_servers_do_not_all_try_at_the_same_moment() -> None:
    assert waits(BadReleaseError(), 2, chance=1.0) == [45, 90]


def test_many_refusals_keep_to_the_latest() -> None:
    assert waits(BadReleaseError(), 200)[-1] == LATEST_SECONDS


def test_a_changed_channel_tries_at_once_and_another_release_begins_anew() -> None:
    time = Time()
    retries = Retries(time, lambda: 0.0)
    for _ in range(4):
        retries.later("stable", BadReleaseError())
    retries.now()
    assert retries.due("stable")
    retries.forget("stable")
    retries.later("stable", BadReleaseError())
    time.now = SOON_SECONDS
    assert retries.due("stable")
