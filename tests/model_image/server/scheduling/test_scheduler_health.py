"""What makes the workers unhealthy, without threads that compute; test_scheduler has those."""

from model_image.server.errors import BackendLostError
from model_image.server.scheduling.health import FAILURES, Health

BAD = (ValueError("broken"),)


def failed(health: Health, times: int, *, told: bool = True) -> None:
    for _ in range(times):
        health.began()
        health.ended(BAD, good=False, told=told)


def test_a_batch_that_nobody_waited_for_says_nothing_as_its_model_may_be_closed() -> None:
    health = Health(lambda: 0.0)
    failed(health, FAILURES * 2, told=False)
    assert health.reason([]) is None
    failed(health, FAILURES - 1)
    failed(health, 1, told=False)
    assert health.reason([]) is None
    failed(health, 1)
    assert health.reason([]) == f"the last {FAILURES} batches failed"


def test_a_batch_in_which_one_sequence_was_good_is_a_good_one() -> None:
    health = Health(lambda: 0.0)
    failed(health, FAILURES - 1)
    health.ended(BAD, good=True, told=True)
    failed(health, 1)
    assert health.reason([]) is None


def test_a_backend_that_was_lost_while_nobody_waited_is_lost() -> None:
    health = Health(lambda: 0.0)
    health.ended((BackendLostError(),), good=False, told=False)
    assert health.reason([]) == "the backend is lost"
