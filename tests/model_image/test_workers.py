"""The check of a training run's workers; that two pods find each other is proved on the cluster (tests/onprem)."""

import socket

import pytest

from model_image import workers


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that torchrun gives, for a run of one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def test_a_run_of_one_adds_up() -> None:
    told = workers.measure()
    assert (told["rank"], told["workers"], told["sum"]) == (0, 1, 1.0)
    assert told["mb_per_second"]


def test_a_wrong_sum_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.distributed, "all_reduce", lambda numbers: numbers.add_(1))
    with pytest.raises(RuntimeError, match="the sum over 1 workers is 2"):
        workers.measure()
    workers.distributed.destroy_process_group()
