"""How a run ends: with everything on the disk, or with a line that says why not."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from model_image.training.cli_train import main
from model_image.training.train.train import train

from .conftest import MakeJob  # isort: skip


def test_the_disk_has_the_model_before_the_checkpoints_go(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut between the two there would be neither."""
    job, done = make_job("rank", epochs=1), list[str]()
    fsync, rename, rmtree = os.fsync, os.rename, shutil.rmtree

    def synced(descriptor: int) -> None:
        done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")
        fsync(descriptor)

    def renamed(source: Path, target: Path) -> None:
        done.append(f"rename {Path(target).name}")
        rename(source, target)

    def removed(path: Path, ignore_errors: bool = False) -> None:
        done.append(f"remove {Path(path).name}")
        rmtree(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(shutil, "rmtree", removed)
    train(job)
    at = done.index("rename model")
    files = {f"sync {path.name}" for path in job.output.iterdir()}
    assert files | {"sync done"} <= set(done[done.index("remove done") : at])
    assert done[at + 1 :] == [f"sync {job.output.parent.name}", "remove model.run"]


def test_a_fault_of_torch_is_one_line(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    job = make_job("rank")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        named = {"RANK": 0, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": taken.getsockname()[1]}
        for name, value in named.items():
            monkeypatch.setenv(name, str(value))
        words = ["--data", str(job.dataset.folder), "--base", str(job.base), "--set", "device=cpu"]
        assert main([*words, "--task", "rank", "--output", str(job.output)]) == 1
    assert "error: torch: " in capfd.readouterr().err
