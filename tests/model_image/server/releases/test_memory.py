from pathlib import Path

import pytest
import torch

from model_image.server.errors import BackendLostError
from model_image.server.releases.memory import Budget, Memory, NoRoomError, budget, device_budget, make_sure


@pytest.fixture
def machine(tmp_path: Path):
    """The root of a machine with 8 GiB and, optionally, a container's limit at one of the two places."""

    def made(**limits: str) -> Path:
        files = {"proc/meminfo": "MemTotal:        8388608 kB\nMemFree: 5 kB\n"}
        places = {"v2": "sys/fs/cgroup/memory.max", "v1": "sys/fs/cgroup/memory/memory.limit_in_bytes"}
        files |= {places[version]: limit for version, limit in limits.items()}
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return made


@pytest.mark.parametrize(
    ("limits", "total"),
    [
        ({}, 8 << 30),
        ({"v2": "max\n"}, 8 << 30),
        ({"v2": f"{2 << 30}\n"}, 2 << 30),
        ({"v1": f"{3 << 30}\n"}, 3 << 30),
        ({"v1": "9223372036854771712\n"}, 8 << 30),
    ],
)
def test_the_budget_is_four_fifths_of_what_the_container_or_else_the_machine_has(machine, limits, total) -> None:
    assert budget(0, root=machine(**limits)) == int(total * 0.8)


def test_a_budget_that_is_given_counts_alone(machine) -> None:
    assert budget(100, root=machine(v2="1000")) == 100 << 20


def test_the_budget_of_gpus_is_four_fifths_of_the_smallest(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [(5, 80 << 30), (70 << 30, 70 << 30)]
    monkeypatch.setattr("torch.cuda.device_count", lambda: len(sizes))
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda at: sizes[at])
    assert device_budget() == int((70 << 30) * 0.8)


def test_what_does_not_fit_beside_the_others_is_refused_with_the_numbers() -> None:
    make_sure(Memory(60), held=Memory(40), budget=Budget(100))
    with pytest.raises(
        NoRoomError, match=r"61\.0 MB beside 40\.0 MB in memory, 100\.0 MB are allowed.*SERVING_MEMORY_MB"
    ):
        make_sure(Memory(61_000_000), held=Memory(40_000_000), budget=Budget(100_000_000))


def test_what_fits_in_the_machine_and_not_on_a_gpu_is_refused_with_the_numbers_of_the_gpu() -> None:
    budget = Budget(100_000_000, 50_000_000)
    make_sure(Memory(5, 10_000_000), held=Memory(5, 40_000_000), budget=budget)
    with pytest.raises(NoRoomError, match=r"11\.0 MB beside 40\.0 MB in memory, 50\.0 MB are allowed on a GPU"):
        make_sure(Memory(5, 11_000_000), held=Memory(5, 40_000_000), budget=budget)


def test_a_first_release_is_let_in_whatever_its_size_and_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    make_sure(Memory(200_000_000), held=Memory(), budget=Budget(100_000_000))
    assert "200.0 MB beside 0.0 MB in memory, 100.0 MB are allowed" in caplog.records[0].fields["numbers"]


def test_a_gpu_that_does_not_tell_its_memory_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(device: int) -> tuple[int, int]:
        raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", broken)
    with pytest.raises(BackendLostError, match="unspecified launch failure"):
        device_budget()
