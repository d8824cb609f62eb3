import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from model_image.server.releases.held import Held


class Value:
    """Counts how often it was closed, and whether that was while it was held."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


@given(st.lists(st.sampled_from(["hold", "leave", "give up", "close"]), max_size=40))
def test_a_value_is_closed_once_after_it_was_given_up_and_its_last_holder_left(steps: list[str]) -> None:
    value = Value()
    held, holders, given_up = Held(value), 0, False
    for step in steps:
        if step == "hold":
            assert held.hold() is not given_up
            holders += not given_up
        elif step == "leave" and holders:
            held.leave()
            holders -= 1
        elif step == "give up":
            held.give_up()
            given_up = True
        elif step == "close":
            assert held.close_if_left() == (given_up and not holders)
            assert value.closed == (given_up and not holders)
    assert value.closed <= 1


def test_many_threads_never_meet_a_closed_value_and_it_is_closed_once() -> None:
    value = Value()
    held, ready = Held(value), threading.Barrier(9)

    def use() -> int:
        ready.wait()
        met = 0
        while held.hold():
            met += value.closed
            held.leave()
        return met

    with ThreadPoolExecutor(8) as threads:
        users = [threads.submit(use) for _ in range(8)]
        ready.wait()
        held.give_up()
        closers = [threads.submit(held.close_if_left) for _ in range(8)]
    assert sum(user.result() for user in users) == 0
    assert held.close_if_left()
    assert all(closer.exception() is None for closer in closers)
    assert value.closed == 1
