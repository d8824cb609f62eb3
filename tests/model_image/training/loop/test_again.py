"""A second run in the folder of one that failed or was killed."""

import csv
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from model_image.registry import open_registry
from model_image.training.dataset import Dataset
from model_image.training.loop import __main__ as loop
from model_image.training.loop.run import read_run
from model_image.training.train.result import read_training

Shop = Callable[[], Path]
TUNE = ["--tune", "retrieve", "--preset", "smoke"]
TUNE += ["--set", "steps=1", "--set", "valid_most=20", "--set", "max_tokens=16"]


def killed_at(words: str, options: list[str]) -> int | None:
    """The exit code of a run that dies where it would say `words`.

    It is not forked from here: the engines of earlier tests have threads, whose locks nobody would ever open in it.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["model_image.training.loop.run"])
    process = context.Process(target=_run, args=(words, options, dict(os.environ)), daemon=True)
    process.start()
    process.join(120)
    return process.exitcode


def _run(words: str, options: list[str], environment: dict[str, str]) -> None:
    def say(text: str) -> None:
        if text.startswith(words):
            os._exit(9)

    try:
        read_run(environment, loop.parser().parse_args(options)).all(say)
    finally:
        os._exit(0)


def test_a_run_that_was_killed_goes_on_and_its_trained_model_is_tried(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop()
    assert killed_at("build", TUNE) == 9
    work = tmp_path / "work" / "run"
    assert read_training(work / "retrieve").steps == 1
    (work / "release-plain").mkdir(exist_ok=True)
    (work / "release-plain" / "half").touch()
    assert loop.main(TUNE) == 0
    told = capsys.readouterr()
    assert " prepare\n" not in told.err
    assert "trained for retrieve: " in told.err, "the model is still there when it is measured"
    registry = open_registry(tmp_path / "registry")
    assert registry.channel("search").stable == told.out.strip()
    assert "half" not in registry.manifest("search", told.out.strip()).files
    assert not list((tmp_path / "work").iterdir())


def test_what_changed_after_a_failed_run_counts(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shop()
    prepared = tmp_path / "work" / "run" / "prepared"

    def revision(*options: str) -> str:
        assert killed_at("build", list(options)) == 9
        return Dataset(prepared).prepared.revision

    first = revision()
    made = (prepared / "prepared.json").stat().st_mtime_ns
    assert revision() == first
    assert (prepared / "prepared.json").stat().st_mtime_ns == made, "what is the same is not prepared again"
    assert revision("--hold-fold", "1") != first
    assert Dataset(prepared).prepared.hold_fold == 1
    early = revision("--cut", "2026-03-01")
    assert Dataset(prepared).prepared.cut.isoformat().startswith("2026-03-01")  # type: ignore[union-attr]
    with (folder / "catalogue.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    rows[0][header.index("title")] = "A thing nobody has heard of"
    with (folder / "catalogue.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    assert revision("--cut", "2026-03-01") != early
    capsys.readouterr()
