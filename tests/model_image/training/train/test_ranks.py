"""Two processes of one run are one process with the whole batch; one that dies ends the run."""

import dataclasses
import multiprocessing
import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from model_image.training.train.plan import Job
from model_image.training.train.ranks import Ranks, open_ranks
from model_image.training.train.train import train

from .conftest import MakeData, MakeJob, classify_rows, rank_rows, retrieve_rows  # isort: skip


pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12: threads may be lost


def a_free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _one_rank(rank: int, port: int, jobs: Sequence[Job], dies_at: int, log: Path) -> None:
    """Forked, since everything is imported here already; exits as the verb would."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}

    def on_step(step: int) -> None:
        if rank == 1 and step == dies_at:
            os._exit(9)

    try:
        with Ranks(rank, 2, 0, "cpu") as ranks:
            train(jobs[rank], ranks, on_step)
    except Exception as error:
        log.with_suffix(f".{rank}").write_text(f"{type(error).__name__}: {error}")
        os._exit(1)
    os._exit(0)


def run_two(job: Job, *, dies_at: int = 0, second: Job | None = None) -> Sequence[int | None]:
    """Exit codes of both ranks; log.0 and log.1 beside the output have their errors. `second` is the other
    rank's, where it is on another machine."""
    context, port = multiprocessing.get_context("fork"), a_free_port()
    log = job.output.with_name("log.txt")
    ranks = [
        context.Process(target=_one_rank, args=(rank, port, (job, second or job), dies_at, log)) for rank in (0, 1)
    ]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(60)
    assert all(process.exitcode is not None for process in ranks), "a rank hangs"
    return [process.exitcode for process in ranks]


def tensors(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = safetensors.numpy.load_file(job.output / "model.safetensors")
    return found


def losses(job: Job) -> list[float]:
    lines = (job.output / "log.csv").read_text().splitlines()[1:]
    return [float(line.split(",")[1]) for line in lines]


# 13 and 11 training examples in batches of 4: the last one has 1 and 3, so a share is empty or smaller.
_TASKS = {
    "rank": (rank_rows(19), {}),
    "retrieve": (retrieve_rows(17), {"popularity": 1.0}),
    "classify": (classify_rows(19), {"accumulate": 2}),
}


@pytest.mark.parametrize("task", sorted(_TASKS))
def test_two_ranks_learn_what_one_does(make_job: MakeJob, task: str) -> None:
    rows, settings = _TASKS[task]
    one = make_job(task, rows, output="one", rate=1e-3, **settings)
    two = dataclasses.replace(one, output=one.output.with_name("two"))
    train(one)
    assert run_two(two) == [0, 0]
    assert losses(two) == pytest.approx(losses(one), abs=1e-5)
    for name, expected in tensors(one).items():
        assert np.abs(tensors(two)[name] - expected).max() <= 1e-5, name


def test_the_retrieve_loss_needs_the_other_ranks_texts(make_job: MakeJob) -> None:
    """The comparison above would fail if each rank saw its own texts alone: accumulation, which does so, differs."""
    one = make_job("retrieve", retrieve_rows(17), output="one", rate=1e-3)
    apart = dataclasses.replace(
        one, output=one.output.with_name("apart"), settings=dataclasses.replace(one.settings, accumulate=2)
    )
    train(one)
    train(apart)
    assert losses(apart) != pytest.approx(losses(one), abs=1e-3)


def test_a_rank_that_dies_ends_the_run(make_job: MakeJob) -> None:
    job = make_job("rank", output="one", checkpoint_every=1)
    assert run_two(job, dies_at=2) == [1, 9]
    assert "TrainError: rank 0 of 2: another one is gone" in job.output.with_name("log.0").read_text()
    assert not job.output.exists()


def test_two_ranks_go_on_where_one_was(make_job: MakeJob) -> None:
    one = make_job("rank", output="one", checkpoint_every=1, rate=1e-3)
    cut = dataclasses.replace(one, output=one.output.with_name("cut"))
    train(one)
    assert run_two(cut, dies_at=3) == [1, 9]
    assert run_two(dataclasses.replace(cut, resume=True)) == [0, 0]
    for name, expected in tensors(one).items():
        assert np.abs(tensors(cut)[name] - expected).max() <= 1e-5, name


@pytest.mark.parametrize("there", [False, True])
def test_ranks_that_share_no_folder_do_not_go_on(make_job: MakeJob, there: bool) -> None:
    """The second machine has no checkpoint, or one of the same step with other weights."""
    job = make_job("rank", output="one", checkpoint_every=1, rate=1e-3)
    assert run_two(job, dies_at=3) == [1, 9]
    away = job.output.parent / "away"
    away.mkdir()
    if there:
        shutil.copytree(job.output.with_name("one.run"), away / "one.run")
        for path in (away / "one.run").glob("checkpoint-*/weights.safetensors"):
            found = safetensors.numpy.load_file(path)
            first = min(found)
            safetensors.numpy.save_file(found | {first: found[first] + 1}, path)
    resumed = dataclasses.replace(job, resume=True)
    assert run_two(resumed, second=dataclasses.replace(resumed, output=away / "one")) == [1, 1]
    for rank in (0, 1):
        assert (
            "not the same at every rank; --output needs a shared folder"
            in (job.output.parent / f"log.{rank}").read_text()
        )


def test_ranks_with_other_data_do_not_begin(make_job: MakeJob, make_data: MakeData) -> None:
    job = make_job("rank", output="one")
    assert run_two(job, second=dataclasses.replace(job, dataset=make_data("rank", rank_rows(19)))) == [1, 1]
    assert "--data, --base or a library is not the same at every rank" in job.output.with_name("log.0").read_text()


def test_torchrun_says_who_one_is() -> None:
    assert open_ranks({}) == Ranks(0, 1, 0)
    assert open_ranks({"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}) == Ranks(5, 8, 1)
    assert open_ranks({}, "cpu").device.type == "cpu"
    assert not Ranks(1, 2).first
