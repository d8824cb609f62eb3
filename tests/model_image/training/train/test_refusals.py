"""What cannot be learnt from is refused with place, value and way out, and a run that goes wrong writes nothing."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch

from model_image.tables import TableError
from model_image.training.cli_train import main
from model_image.training.dataset import DatasetError
from model_image.training.train.base import base_shape
from model_image.training.train.errors import TrainError, TrainInputError
from model_image.training.train.result import work_folder
from model_image.training.train.train import train

from .conftest import EXAMPLES_OF, MakeData, MakeJob, classify_rows, rank_rows, write_base  # isort: skip


def changed(task: str, at: int, **values: Any) -> list[dict[str, Any]]:
    rows = [dict(row) for row in EXAMPLES_OF[task]()]
    rows[at] |= values
    return rows


_REFUSED = {
    "no-training": ("rank", [{**row, "split": "valid"} for row in rank_rows()], "an example of split train"),
    "constant": (
        "rank",
        [{**row, "wished": 1.0} for row in rank_rows()],
        "column 'wished': found 1.0, expected values",
    ),
    "above-one": ("rank", changed("rank", 8, wished=1.5), "row 9, column 'wished': found 1.5"),
    "nan": ("regress", changed("regress", 3, value=float("nan")), "row 4, column 'value': found nan"),
    "no-value": ("regress", changed("regress", 17, value=None), "row 18, column 'value'"),
    "same-value": ("regress", [{**row, "value": 2.0} for row in EXAMPLES_OF["regress"]()], "column 'value': found 2.0"),
    "weight": ("retrieve", changed("retrieve", 2, weight=0.0), "row 3, column 'weight': found 0.0"),
    "empty-label": ("classify", changed("classify", 2, label=" "), "row 3, column 'label'"),
    "one-label": ("classify", [{**row, "label": "a"} for row in classify_rows()], "two labels or more"),
    "labels": (
        "classify",
        [{**classify_rows()[0], "label": str(at)} for at in range(1001)],
        "row 1001, .*at most 1000",
    ),
    "split": ("classify", changed("classify", 4, split="tset"), "row 5, column 'split': found 'tset'"),
    "no-text": ("classify", changed("classify", 4, text=None), "row 5: expected a text"),
    "no-column": ("classify", rank_rows(), "the column 'label'"),
}


@pytest.mark.parametrize("case", sorted(_REFUSED))
def test_examples_that_teach_nothing_are_refused(make_job: MakeJob, case: str) -> None:
    task, rows, told = _REFUSED[case]
    job = make_job(task, rows)
    with pytest.raises(TableError, match=told):
        train(job)
    assert not job.output.exists()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def damage_pages(path: Path) -> None:
    """The footer stays readable; the bytes of the rows do not."""
    data = bytearray(path.read_bytes())
    data[len(data) // 8 : len(data) // 3] = bytes(len(data) // 3 - len(data) // 8)
    path.write_bytes(data)


@pytest.mark.parametrize(("spoil", "told"), [(cut_off, "a readable Parquet file"), (damage_pages, r"behind row \d+")])
def test_a_corrupt_file_is_refused_with_the_place(
    make_job: MakeJob, make_data: MakeData, spoil: Any, told: str
) -> None:
    job = dataclasses.replace(make_job("rank"), dataset=make_data("rank", rank_rows(40), spoil=spoil, group=4))
    with pytest.raises(TableError, match=told):
        train(job)


def test_a_file_that_is_not_the_manifests_is_refused(make_job: MakeJob) -> None:
    job = make_job("rank")
    path = job.dataset.examples("rank")
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DatasetError, match="not that of its manifest; prepare the data again"):
        train(job)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_its_checkpoint(make_job: MakeJob) -> None:
    job = make_job("regress", rate=1e30, clip=1e30, checkpoint_every=1, epochs=4)
    with pytest.raises(TrainError, match=r"step \d+: loss is .*; the batch is rows \d+, \d+") as stopped:
        train(job)
    step = int(str(stopped.value).split()[1].rstrip(":"))
    assert not job.output.exists()
    assert (work_folder(job.output) / f"checkpoint-{step - 1}").is_dir()
    assert not (work_folder(job.output) / f"checkpoint-{step}").exists()


def test_a_family_that_is_not_served_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(TrainInputError, match="model_type is 'gpt2', expected an encoder: bert"):
        base_shape(tmp_path)


def test_weights_that_are_not_finite_are_refused(make_job: MakeJob, tmp_path: Path) -> None:
    folder = write_base(tmp_path / "broken")
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    tensors["embeddings.word_embeddings.weight"][3, 3] = float("inf")
    safetensors.torch.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TrainInputError, match=r"word_embeddings\.weight' has numbers that are not finite"):
        train(dataclasses.replace(make_job("rank"), base=folder))


@pytest.mark.parametrize("config", [{"hidden_size": 36}, {"num_hidden_layers": 3}, {"vocab_size": 99}])
def test_an_encoder_that_its_weights_do_not_fill_is_refused(make_job: MakeJob, tmp_path: Path, config: Any) -> None:
    folder = write_base(tmp_path / "broken")
    other = write_base(tmp_path / "other", **config)
    (folder / "config.json").write_bytes((other / "config.json").read_bytes())
    with pytest.raises(TrainInputError, match=r"model\.safetensors: tensor '.*' is missing or of another size"):
        train(dataclasses.replace(make_job("rank"), base=folder))


def test_without_validation_the_last_weights_stay(make_job: MakeJob, capfd: pytest.CaptureFixture[str]) -> None:
    training = train(make_job("rank", [row for row in rank_rows() if row["split"] == "train"]))
    assert (training.best, training.first, training.valid_examples) == (None, None, 0)
    assert "none to choose the best weights by" in capfd.readouterr().err


def verb(job: Any, *more: str) -> int:
    given = ["--data", str(job.dataset.folder), "--base", str(job.base), "--output", str(job.output), *more]
    return main([*given, "--set", "precision=float32", "--set", "device=cpu", "--set", "max_tokens=24"])


def test_the_verb_prints_the_folder(make_job: MakeJob, capfd: pytest.CaptureFixture[str]) -> None:
    job = make_job("rank")
    assert verb(job, "--task", "rank", "--preset", "smoke", "--set", "steps=1") == 0
    said = capfd.readouterr()
    assert said.out == f"{job.output}{os.linesep}"
    assert "1 steps in" in said.err


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--task", "rank", "--set", "speed=9"), 2, "error: --set speed=9: unknown key 'speed', expected key=value"),
        (("--task", "classify"), 2, "has no examples/classify.parquet"),
        (("--task", "rank", "--base", "no/such"), 2, "error: --base no/such: neither a folder"),
        (("--task", "rank", "--set", "rate=1e30", "--set", "clip=1e30", "--set", "batch=2"), 1, "; the batch is rows "),
    ],
)
def test_the_verb_tells_what_went_wrong(
    make_job: MakeJob, capfd: pytest.CaptureFixture[str], more: tuple[str, ...], code: int, told: str
) -> None:
    job = make_job("rank")
    assert verb(job, *more) == code
    said = capfd.readouterr()
    assert told in said.err
    assert said.out == ""
    assert not job.output.exists()
