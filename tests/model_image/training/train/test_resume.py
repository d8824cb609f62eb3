"""A killed run goes on to the very bits of one that was not."""

import dataclasses
import json
import multiprocessing
import os
import resource
import signal
from collections.abc import Iterator

import pytest

from model_image.training.train.errors import TrainError, TrainInputError
from model_image.training.train.plan import Job
from model_image.training.train.settings import Settings
from model_image.training.train.train import train

from .conftest import MakeData, MakeJob, rank_rows  # isort: skip


pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12: threads may be lost


class PowerCut(BaseException):
    """Nothing in the trainer may catch it."""


def cut_at(step: int) -> object:
    def on_step(done: int) -> None:
        if done == step:
            raise PowerCut

    return on_step


def elsewhere(job: Job, output: str, **changed: object) -> Job:
    settings = dataclasses.replace(job.settings, **changed)  # type: ignore[arg-type]
    return dataclasses.replace(job, output=job.output.with_name(output), settings=settings)


def weights(job: Job) -> bytes:
    return (job.output / "model.safetensors").read_bytes()


def kill_at(step: int, job: Job) -> None:
    """Train in a forked process that kills itself, as the kernel would, and see it dead."""

    def on_step(done: int) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=train, args=(job,), kwargs={"on_step": on_step})
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("method", ["full", "lora", "adalora"])
def test_a_run_cut_in_the_middle_ends_in_the_same_bits(make_job: MakeJob, method: str) -> None:
    settings = {"dropout": 0.2, "epochs": 3, "checkpoint_every": 2, "method": method, "lora_rank": 2, "patience": 0}
    whole = make_job("rank", **settings, output="whole")
    expected = train(whole)
    cut = elsewhere(whole, "cut")
    for step in (3, 7):  # behind a checkpoint of step 2, then of 6
        with pytest.raises(PowerCut):
            train(dataclasses.replace(cut, resume=step > 3), on_step=cut_at(step))  # type: ignore[arg-type]
    training = train(dataclasses.replace(cut, resume=True))
    assert weights(cut) == weights(whole)
    assert (training.first, training.best, training.best_step) == (expected.first, expected.best, expected.best_step)
    steps = [[line.split(",")[at] for at in (0, 1, 2, 4)] for line in (cut.output / "log.csv").read_text().split()]
    assert steps == [
        [line.split(",")[at] for at in (0, 1, 2, 4)] for line in (whole.output / "log.csv").read_text().split()
    ]


def test_a_killed_process_goes_on_to_the_same_bits(make_job: MakeJob) -> None:
    whole = make_job("retrieve", dropout=0.2, epochs=3, checkpoint_every=2, popularity=1.0, output="whole")
    train(whole)
    killed = elsewhere(whole, "killed")
    kill_at(5, killed)
    train(dataclasses.replace(killed, resume=True))
    assert weights(killed) == weights(whole)


def test_another_seed_ends_in_other_bits(make_job: MakeJob) -> None:
    one = make_job("rank", epochs=1, output="one")
    other = elsewhere(one, "other", seed=2)
    train(one)
    train(other)
    assert weights(one) != weights(other)


@pytest.fixture
def cut(make_job: MakeJob) -> Job:
    """A run cut behind its checkpoints of steps 2 and 4."""
    job = make_job("rank", epochs=3, checkpoint_every=2, output="cut")
    with pytest.raises(PowerCut):
        train(job, on_step=cut_at(5))  # type: ignore[arg-type]
    return dataclasses.replace(job, resume=True)


def test_the_last_two_checkpoints_are_kept(cut: Job) -> None:
    names = {path.name for path in cut.output.with_name("cut.run").glob("checkpoint-*")}
    assert names == {"checkpoint-2", "checkpoint-4"}


def test_other_settings_do_not_go_on(cut: Job) -> None:
    with pytest.raises(TrainInputError, match=r"checkpoint-4: rate was 0\.01, now it is 0\.02"):
        train(elsewhere(cut, "cut", rate=0.02))


@pytest.mark.parametrize("key", ["ranks", "computed", "version of torch"])
def test_another_machine_or_library_does_not_go_on(cut: Job, key: str) -> None:
    path = cut.output.with_name("cut.run") / "checkpoint-4" / "state.json"
    state = json.loads(path.read_text())
    state["made_of"][key] = "another"
    path.write_text(json.dumps(state))
    with pytest.raises(TrainInputError, match=f"checkpoint-4: {key} was another, now it is (?!None)"):
        train(cut)


def test_other_data_do_not_go_on(cut: Job, make_data: MakeData) -> None:
    with pytest.raises(TrainInputError, match="data was one, now it is two"):
        train(dataclasses.replace(cut, dataset=make_data("rank", rank_rows(), revision="two")))


def test_a_damaged_checkpoint_is_passed_over(cut: Job, capfd: pytest.CaptureFixture[str]) -> None:
    path = cut.output.with_name("cut.run") / "checkpoint-4" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    train(cut)
    assert "going on behind 2" in capfd.readouterr().err


def test_an_output_in_the_way_is_refused(cut: Job) -> None:
    with pytest.raises(TrainInputError, match=r"cut: a run is in .*cut\.run; go on with --resume"):
        train(dataclasses.replace(cut, resume=False))
    train(cut)
    with pytest.raises(TrainInputError, match="cut: exists; choose another name"):
        train(dataclasses.replace(cut, resume=False))


def test_a_finished_run_is_not_done_again(cut: Job) -> None:
    first = train(cut)
    at = (cut.output / "model.safetensors").stat().st_mtime_ns
    assert train(cut) == first
    assert (cut.output / "model.safetensors").stat().st_mtime_ns == at
    with pytest.raises(TrainInputError, match="is done, with epochs 3, not 1"):
        train(elsewhere(cut, "cut", epochs=1))


@pytest.fixture
def small_files() -> Iterator[None]:
    """Files of this process may have 100 KB: what a full disk does to a write, without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_last_checkpoint(cut: Job, request: pytest.FixtureRequest) -> None:
    work = cut.output.with_name("cut.run")
    before = (work / "checkpoint-4" / "optimizer.safetensors").read_bytes()
    assert len(before) > 100_000  # the weights alone would still fit
    request.getfixturevalue("small_files")
    with pytest.raises(TrainError, match=r"step 6 cannot be written .*; that of step 4 is whole: make room"):
        train(cut)
    assert (work / "checkpoint-4" / "optimizer.safetensors").read_bytes() == before
    assert not list(work.glob("*.part"))


def test_settings_of_a_run_are_all_compared(cut: Job) -> None:
    from model_image.training.train.result import work_folder

    state = (work_folder(cut.output) / "checkpoint-4" / "state.json").read_text()
    for field in dataclasses.fields(Settings):
        assert f'"{field.name}"' in state
