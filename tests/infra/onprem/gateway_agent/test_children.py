import os
import signal
from collections.abc import Iterator

import pytest

from infra.onprem.gateway_agent.children import SILENT_TIMES, Child


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child(["sleep", "60"])
    made.start()
    yield made
    made.kill()


def test_a_daemon_that_is_stopped_and_answers_nothing_is_ended(child: Child) -> None:
    os.kill(child.pid, signal.SIGSTOP)
    for _ in range(SILENT_TIMES - 1):
        child.heard(False)
        assert child.silent
    assert child.alive
    child.heard(False)
    assert not child.alive


def test_an_answer_is_all_that_a_daemon_needs_to_go_on(child: Child) -> None:
    for answered in (False, False, True, False, False):
        child.heard(answered)
    assert child.alive


def test_a_daemon_that_was_started_again_is_not_blamed_for_its_predecessor(child: Child) -> None:
    for _ in range(SILENT_TIMES):
        child.heard(False)
    child.start()
    assert not child.silent
    child.heard(False)
    assert child.alive
