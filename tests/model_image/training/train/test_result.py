"""What a run leaves is what the server computes: the packed engine and the trained model say the same."""

import csv
import importlib.metadata
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from model_image.packed.precision import fastest
from model_image.server.backends.cpu import CpuBackend
from model_image.settings import read_settings
from model_image.training.train.base import base_shape
from model_image.training.train.inputs import Encoder
from model_image.training.train.train import train

from .conftest import EXAMPLES_OF, MakeJob, write_base  # isort: skip

_PAIR = ("w3 w7 w9", "w3 红色连衣裙 w20 " + "w5 " * 40)
_TOLERANCE = 2e-4 if fastest(torch.device("cpu")) == torch.float32 else 3e-2


def trained_outputs(folder: Path) -> np.ndarray:
    """What transformers computes of the folder, through the trainer's own way of reading it."""
    from transformers import AutoModel, AutoModelForSequenceClassification

    settings = read_settings(folder)
    kind = AutoModel if settings.head == "embed" else AutoModelForSequenceClassification
    model = kind.from_pretrained(folder, dtype=torch.float32)
    encoder = Encoder(model, folder, base_shape(folder), settings.max_tokens, torch.float32)
    if settings.head == "rank":
        sequences = encoder.pairs([_PAIR[0], _PAIR[1]], [_PAIR[1], ""])
    else:
        sequences = encoder.singles([*_PAIR, ""])
    return encoder.all(encoder.vectors if settings.head == "embed" else encoder.scores, sequences).numpy()


def served_outputs(folder: Path) -> np.ndarray:
    model = CpuBackend(threads=1, batch_tokens=64).load(folder)
    first, second, empty = model.tokenize([*_PAIR, ""])
    if model.settings.head == "rank":
        return model.run([model.pair(first, second), model.pair(second, empty)])
    return model.run([model.single(first), model.single(second), model.single(empty)])


@pytest.mark.parametrize(
    ("task", "method"),
    [*((task, "full") for task in EXAMPLES_OF), ("classify", "lora"), ("retrieve", "lora"), ("rank", "adalora")],
)
def test_the_server_computes_what_was_trained(make_job: MakeJob, task: str, method: str) -> None:
    job = make_job(task, method=method, lora_rank=2, epochs=1 if method == "full" else 2)
    training = train(job)
    served = served_outputs(job.output)
    scale = max(1.0, float(np.abs(served).max()))
    assert np.abs(trained_outputs(job.output) - served).max() <= _TOLERANCE * scale
    assert training.best is not None
    assert {path.name for path in job.output.iterdir()} == {
        "config.json", "model.safetensors", "tokenizer.json", "settings.json", "log.csv", "training.json",
    }  # fmt: skip
    assert not job.output.with_name("model.run").exists()


@pytest.mark.parametrize("family", ["roberta", "distilbert"])
def test_other_families_are_served_as_trained(make_job: MakeJob, tmp_path: Path, family: str) -> None:
    import dataclasses

    for task in ("retrieve", "regress"):
        base = write_base(tmp_path / f"base-{task}", family)
        job = dataclasses.replace(make_job(task, epochs=1, output=task), base=base)
        train(job)
        served = served_outputs(job.output)
        assert np.abs(trained_outputs(job.output) - served).max() <= _TOLERANCE * max(1.0, np.abs(served).max())


def test_a_regression_answers_in_the_units_of_its_examples(make_job: MakeJob) -> None:
    """Values are 100, 107, 114 and 121: the scale of learning is in the weights."""
    for loss in ("huber", "mse"):
        job = make_job("regress", output=loss, loss=loss, epochs=2)
        train(job)
        values = served_outputs(job.output)
        assert ((values > 90) & (values < 135)).all()


def test_each_task_learns_its_examples(make_job: MakeJob) -> None:
    """What the first word says is found in texts that were not learnt from."""
    wanted = {"rank": 0.95, "classify": 0.95, "retrieve": 0.6, "regress": 3.5}
    for task, least in wanted.items():
        rows = [{**row, "text": " ".join(row["text"].split()[:1])} for row in EXAMPLES_OF[task]()]
        settings = {"epochs": 30, "patience": 0, "evaluate_every": 30, "checkpoint_every": 90, "rate": 3e-3}
        training = train(make_job(task, rows, output=task, **settings))
        assert training.best is not None
        assert training.first is not None
        assert training.best <= least if task == "regress" else training.best >= least, (task, training)


def test_low_rank_updates_leave_the_rest_of_the_encoder_alone(make_job: MakeJob, base: Path) -> None:
    job = make_job("rank", method="lora", lora_rank=2, patience=0, max_tokens=300)
    assert train(job).best_step > 0
    before, after = load_file(base / "model.safetensors"), load_file(job.output / "model.safetensors")
    for name, tensor in before.items():
        change = after.get(f"bert.{name}", tensor) - tensor
        low = "layer." in name and tensor.ndim == 2
        assert np.linalg.matrix_rank(change, tol=1e-5) == 2 if low else "pooler" in name or not change.any(), name
    assert read_settings(job.output).max_tokens == 48  # as many as the model has positions


def test_parts_of_a_step_add_up_to_the_whole(make_job: MakeJob) -> None:
    """Batches of 4 in 3 parts of unequal size."""
    whole, parts = (make_job("rank", output=f"{count}", accumulate=count, rate=1e-3) for count in (1, 3))
    train(whole)
    train(parts)
    expected = load_file(whole.output / "model.safetensors")
    for name, tensor in load_file(parts.output / "model.safetensors").items():
        assert np.abs(tensor - expected[name]).max() <= 1e-5, name


def test_bfloat16_is_for_computing_alone(make_job: MakeJob) -> None:
    job, exact = make_job("rank", precision="bfloat16", epochs=1), make_job("rank", epochs=1, output="exact")
    train(job)
    train(exact)
    found = load_file(job.output / "model.safetensors")
    assert {tensor.dtype for tensor in found.values()} == {np.dtype(np.float32)}
    apart = max(
        np.abs(found[name] - tensor).max() for name, tensor in load_file(exact.output / "model.safetensors").items()
    )
    assert 0 < apart < 0.1


def test_labels_are_in_the_settings_and_in_the_configuration(make_job: MakeJob) -> None:
    job = make_job("classify", epochs=1)
    train(job)
    assert read_settings(job.output).labels == ("a", "b", "c")
    assert json.loads((job.output / "config.json").read_text())["id2label"] == {"0": "a", "1": "b", "2": "c"}


def test_the_log_has_a_line_per_step_and_no_text(make_job: MakeJob, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [{**row, "text": f"secretive {row['text']}"} for row in EXAMPLES_OF["rank"]()]
    job = make_job("rank", rows)
    training = train(job)
    lines = list(csv.DictReader((job.output / "log.csv").read_text().splitlines()))
    assert [int(line["step"]) for line in lines] == list(range(1, training.steps + 1))
    assert [bool(line["metric"]) for line in lines] == [False, False, True] * 2
    said = capfd.readouterr()
    assert "step 3 of 6" in said.err
    assert said.out == ""
    for text in (said.err, (job.output / "log.csv").read_text(), (job.output / "training.json").read_text()):
        assert "secretive" not in text


def test_training_says_what_it_was_made_of(make_job: MakeJob) -> None:
    job = make_job("rank", epochs=1, seed=7)
    made_of = train(job).made_of
    assert made_of["data"] == "one"
    assert made_of["seed"] == "7"
    assert (made_of["ranks"], made_of["computed"]) == ("1", "float32 on cpu")
    assert made_of["version of torch"] == importlib.metadata.version("torch")
    assert made_of["base"].startswith("sha256-")
    assert json.loads((job.output / "training.json").read_text())["made_of"] == made_of


def test_without_a_better_metric_the_run_stops_and_the_best_weights_are_kept(make_job: MakeJob) -> None:
    training = train(make_job("regress", epochs=30, patience=2, rate=0.5))
    assert training.steps < 90
    assert training.best_step <= training.steps - 2 * 3


def test_a_text_that_is_much_too_long_is_cut(make_job: MakeJob) -> None:
    rows = [dict(row) for row in EXAMPLES_OF["rank"]()]
    rows[0]["text"] = "w3 " * 33_000
    rows[1]["query"] = "x" * 100_000
    train(make_job("rank", rows, epochs=1))
