"""What the agent reads from the server's pages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.instance.server import QUEUED, Server, samples, start_ends
from model_image.server.metrics import Metrics


@pytest.fixture
def asked(server: Any) -> Server:
    return Server(server.http.address)


def test_ready_is_what_readyz_says(asked: Server, server: Any) -> None:
    assert not asked.ready()
    server.is_ready = True
    assert asked.ready()


def test_a_server_that_is_not_there_is_not_ready_and_has_no_gauges(asked: Server, server: Any) -> None:
    server.http.close()
    assert not asked.ready()
    assert asked.gauges() == {}


def test_waiting_texts_are_read_under_the_servers_own_name(asked: Server, server: Any) -> None:
    server.metrics.waiting_texts.set(7)
    assert asked.gauges()[QUEUED] == 7.0


def test_the_ends_of_the_servers_phases_are_known_once_they_happened(asked: Server, server: Any, clock: Any) -> None:
    assert start_ends(asked.gauges()) == {}
    clock.wait(10)
    server.metrics.downloaded()
    clock.wait(20)
    server.metrics.serve("sha256-1")
    expected = {"weights": clock.now() - 20, "warm-up": clock.now()}
    assert start_ends(asked.gauges()) == expected
    clock.wait(30)
    server.metrics.downloaded()
    server.metrics.serve("sha256-2")  # a later release is no part of the start
    assert start_ends(asked.gauges()) == expected


def test_the_start_is_that_of_the_first_release_that_was_taken() -> None:
    times = iter([100.0, 200.0, 205.0])
    metrics = Metrics(lambda: next(times))
    metrics.downloaded()  # refused after its download
    metrics.downloaded()
    metrics.serve("sha256-2")
    assert start_ends(samples(metrics.text().decode())) == {"weights": 200.0, "warm-up": 205.0}


def test_samples_with_labels_comments_and_what_is_not_finite_are_left_out() -> None:
    text = '# TYPE a gauge\na 1.5\nb{c="d"} 2\ne NaN\nf +Inf\ng x\nh 3e2 1700000000\n'
    assert samples(text) == {"a": 1.5, "h": 300.0}


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    samples(text)
