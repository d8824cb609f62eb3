"""From a release folder and a prepared dataset to an evaluation, a report and exit codes."""

import re
from pathlib import Path

import pytest

from model_image import evaluation
from model_image.base import find_base
from model_image.server.backends.dummy import DummyBackend
from model_image.settings import ModelSettings
from model_image.training import cli_evaluate
from model_image.training.dataset import PREPARED
from model_image.training.evaluate import report
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.evaluating import evaluate
from model_image.training.evaluate.verdicts import verdict_word

TITLES = ("red shoe", "blue shoe", "green lamp", "红色 台灯", "steel kettle", "wool sock", "oak table", "new teapot")
WRONG = tuple(f"thing {at}" for at in range(8))


def _evaluate(dataset, release, *against, **options):
    return evaluate(dataset, release, find_base(), DummyBackend(), against=against, **options)


def test_a_release_is_measured_and_compared_with_baselines_and_another_release(prepare, make_release):
    good, bad = make_release(*TITLES), make_release(*WRONG)
    found = _evaluate(prepare(), good, bad).evaluation
    assert {measure.task for measure in found.measures} == {"search", "rerank", "recommend"}
    assert {"bm25", "base encoder", "bm25+base encoder", "popularity", "own frequency", "item-kNN"} < {
        comparison.other for comparison in found.comparisons
    }
    other = next(iter(found.other_latency_ms))
    difference = next(
        d
        for d in found.compared_with(other).differences
        if (d.task, d.metric, d.segment) == ("search", "mrr@10", "all")
    )
    assert verdict_word(difference) == "better"
    assert found.latency_ms.keys() == found.other_latency_ms[other].keys() == {"search", "rerank", "recommend"}
    assert evaluation.decode(evaluation.encode(found), "here") == found


def test_the_report_is_one_file_that_says_all_of_it(prepare, make_release):
    found = _evaluate(prepare(), make_release(*TITLES, "a <script> of a shoe"), make_release(*WRONG))
    page = report.render(found, "scripts/evaluate --data 'x <y>'")
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert "scripts/evaluate --data &#39;x &lt;y&gt;&#39;" in page
    assert "sha256-test" in page
    assert found.candidate in page
    for text in ("novel", "user=new", "head", "category=Shoes", "better", "Median", "not told apart"):
        assert text in page
    assert "unknown products that" in page
    assert page.count("<th>Calibrated here</th>") == 2, "it has no rankers, so it serves no probability"
    assert "As served" not in page


def test_products_that_the_dataset_lacks_are_counted(prepare, make_release):
    dataset = prepare(
        events=None, products=[{"product_id": f"x{at}", "title": t, "category": ""} for at, t in enumerate(TITLES)]
    )
    found = _evaluate(dataset, make_release(*TITLES))
    assert found.answered[0].unknown[found.candidate] == 8


def test_events_alone_or_judgments_alone_are_enough(prepare, make_release):
    release = make_release(*TITLES)
    tasks = lambda **other: {one.question.task.name for one in _evaluate(prepare(**other), release).answered}  # noqa: E731
    assert tasks(events=None) == {"search", "rerank"}
    assert tasks(judgments=None, queries=None) == {"recommend"}
    with pytest.raises(MeasureError, match="neither judgments nor events"):
        tasks(judgments=None, events=None)


def test_models_that_classify_are_measured_on_what_was_put_aside(prepare, make_release):
    settings = ModelSettings(head="classify", max_tokens=32, labels=("good", "bad"))
    rows = [
        {"text": f"{label} thing {at}", "label": label, "split": split}
        for at, (label, split) in enumerate([("good", "test"), ("bad", "test")] * 5 + [("good", "train")])
    ]
    release = make_release(*TITLES, tasks={"mood": settings})
    found = _evaluate(prepare(events=None, **{"examples/classify": rows}), release).evaluation
    mood = {measure.metric: measure.estimate for measure in found.measures if measure.task == "classify:mood"}
    assert mood["accuracy"].value == mood["f1"].value == 1
    assert mood["accuracy"].count == 10
    others = {found.other: found.differences for found in found.comparisons}
    assert {d.task for d in others["most frequent label"]} == {"classify:mood"}
    strange = prepare(events=None, **{"examples/classify": [{"text": "x", "label": "new", "split": "train"}, *rows]})
    with pytest.raises(MeasureError, match="label 'new', expected one of good, bad"):
        _evaluate(strange, release)


def test_a_label_that_only_the_test_has_is_never_found(prepare, make_release):
    settings = ModelSettings(head="classify", max_tokens=32, labels=("good", "bad"))
    learnt = [{"text": f"{label} thing", "label": label, "split": "train"} for label in ("good", "bad")]
    rows = [{**row, "split": "test"} for row in learnt] + [{"text": "good", "label": "rare", "split": "test"}]
    found = _evaluate(
        prepare(events=None, **{"examples/classify": learnt + rows}), make_release(*TITLES, tasks={"mood": settings})
    )
    mood = {m.metric: m.estimate.value for m in found.evaluation.measures if m.task == "classify:mood"}
    assert mood["accuracy"] == pytest.approx(2 / 3)
    alone = prepare(events=None, **{"examples/classify": rows})
    with pytest.raises(MeasureError, match="label 'rare', expected one of good, bad"):
        _evaluate(alone, make_release(*TITLES, tasks={"mood": settings}))


def test_a_model_of_the_same_name_in_another_release_says_the_same_texts(prepare, make_release):
    labels = (("good", "bad"), ("bad", "good"))
    good, bad = (ModelSettings(head="classify", max_tokens=32, labels=both) for both in labels)
    rows = [
        {"text": f"{label} thing {at}", "label": label, "split": split}
        for split in ("train", "test")
        for at, label in enumerate(["good", "bad"] * 6)
    ]
    dataset = prepare(events=None, **{"examples/classify": rows})
    mine = make_release(*TITLES, tasks={"mood": good})
    theirs = make_release(*TITLES, tasks={"mood": bad, "other": bad})
    result = _evaluate(dataset, mine, theirs)
    other = next(iter(result.evaluation.other_latency_ms))
    told = [d for d in result.evaluation.compared_with(other).differences if d.task == "classify:mood"]
    assert {d.metric for d in told} == {"accuracy", "precision", "recall", "f1"}
    alone = _evaluate(prepare(events=None, judgments=None, queries=None, **{"examples/classify": rows}), mine)
    assert alone.answered == ()
    for found in (result, alone):
        page = report.render(found, "scripts/evaluate")
        assert "words, linear" in page
        assert "classify:mood" in page


def _verb(dataset, release: Path, out: Path, *more: str) -> int:
    fixed = ["--data", str(dataset.folder), "--release", str(release), "--out", str(out), "--backend", "dummy"]
    return cli_evaluate.main([*fixed, *more])


def test_the_verb_writes_a_whole_folder_and_says_where(prepare, make_release, tmp_path, capsys):
    out = tmp_path / "evaluated"
    guard = ("--guard", "rerank:mrr@10:all")
    assert _verb(prepare(), make_release(*TITLES), out, "--cache", str(tmp_path / "cache"), *guard) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert {path.name for path in out.iterdir()} == {"evaluation.json", "report.html"}
    assert evaluation.decode((out / "evaluation.json").read_bytes(), out).data_revision == "sha256-test"
    assert not list(tmp_path.glob(".evaluated*"))


def test_bad_input_is_refused_before_the_work_and_leaves_nothing(prepare, make_release, tmp_path, capsys):
    dataset, release, out = prepare(), make_release(*TITLES), tmp_path / "out"
    assert _verb(dataset, tmp_path / "no", out) == 2
    assert _verb(dataset, release, out, "--guard", "search") == 2
    assert _verb(dataset, release, release) == 2
    assert _verb(dataset, release, out, "--against", str(release)) == 1
    (dataset.folder / PREPARED).unlink()
    assert _verb(dataset, release, out) == 2
    said = capsys.readouterr().err
    for text in ("no: not a folder", "'search': expected TASK:METRIC:SEGMENT", "is there already", "itself", "prepare"):
        assert text in said
    assert not out.exists()
