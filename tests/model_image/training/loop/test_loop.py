"""The whole loop on a small shop, by the command that the site's retraining runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from model_image.registry import open_registry
from model_image.training.loop import __main__ as loop

Shop = Callable[[], Path]


def test_the_first_release_serves_everybody_and_the_next_one_goes_on_trial(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop()
    registry = open_registry(tmp_path / "registry")
    assert loop.main([]) == 0, capsys.readouterr().err
    first = capsys.readouterr().out.strip()
    channel = registry.channel("search")
    assert (channel.stable, channel.canary) == (first, None)
    (evaluation,) = registry.evaluations("search", first)
    assert {(measure.task, measure.metric) for measure in evaluation.measures} >= {
        ("search", "ndcg@10"),
        ("recommend", "ndcg@10"),
    }
    manifest = registry.manifest("search", first)
    assert {"rankers/search.txt", "rankers/recommend.txt", "behaviour.safetensors"} <= manifest.files.keys()
    assert not list((tmp_path / "work").iterdir()), "nothing of a run that succeeded is left"

    too_much = ["--compress", "int8", "--agreement", "1"]  # then it goes on as it is
    assert loop.main(["--percent", "20", "--latency-budget", "5", *too_much]) == 0
    told = capsys.readouterr()
    channel = registry.channel("search")
    assert channel.stable == first
    assert (channel.canary, channel.canary_percent) == (told.out.strip(), 20)
    assert "scripts/promote" in told.err
    assert "not compressed: encoder: int8, rank agreement 0.9" in told.err
    assert "encoder/int8.safetensors" not in registry.manifest("search", told.out.strip()).files
    users = {line.split(",")[0] for line in (tmp_path / "tables" / "events.csv").read_text().splitlines()[1:]}
    stored = [path for path in (tmp_path / "registry").rglob("*") if path.is_file()]
    assert not [path for path in stored if any(user.encode() in path.read_bytes() for user in users)]


def test_a_release_is_compressed_where_its_rankings_stay(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop()
    assert loop.main(["--compress", "int8", "--compress", "bf16"]) == 0
    told = capsys.readouterr()
    assert "encoder: int8 and bf16, rank agreement 0.99" in told.err
    files = open_registry(tmp_path / "registry").manifest("search", told.out.strip()).files
    assert "encoder/int8.safetensors" in files
    assert files["encoder/model.safetensors"].size < 46e6


@pytest.mark.parametrize(
    ("word", "value", "told"),
    [
        ("TRAINING_REGISTRY", None, "TRAINING_REGISTRY: not set, expected s3://<bucket>"),
        ("TRAINING_INPUT", "nowhere", "nowhere is no folder"),
        ("TRAINING_KEY", None, "--key-file"),
    ],
)
def test_a_word_that_is_missing_is_told_before_any_work(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str, value: str, told: str
) -> None:
    shop()
    if value is None:
        monkeypatch.delenv(word)
    else:
        monkeypatch.setenv(word, value)
    assert loop.main([]) == 2
    assert told in capsys.readouterr().err


def test_a_bad_row_ends_it_with_the_step_the_rule_and_nothing_published(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop()
    header, *rows = (folder / "catalogue.csv").read_text().splitlines()
    untitled = [row.partition(",")[0] + ",,,,," for row in rows]
    (folder / "catalogue.csv").write_text("\n".join([header, *untitled]))
    assert loop.main([]) == 2
    assert "error: prepare: " in capsys.readouterr().err
    assert json.dumps([path.name for path in (tmp_path / "registry").iterdir()]) == "[]"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--percent", "60"], "--percent: 60, expected 1 to 50"),
        (["--percent", "0"], "--percent: 0, expected 1 to 50"),
        (["--model", "a b"], "model: 'a b', expected at most 63"),
        (["--latency-budget", "nan"], "--latency-budget: nan, expected a number above 0"),
        (["--cut", "soon"], "time: 'soon', expected ISO 8601"),
    ],
)
def test_an_option_that_cannot_be_is_told_before_any_work(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    shop()
    assert loop.main(options) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_a_catalogue_alone_makes_the_first_release_unmeasured_and_nothing_follows_it(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop()
    for name in ("events", "queries", "judgments"):
        (folder / f"{name}.csv").unlink()
    assert loop.main([]) == 0
    told = capsys.readouterr()
    registry = open_registry(tmp_path / "registry")
    assert registry.channel("search").stable == told.out.strip()
    assert registry.evaluations("search", told.out.strip()) == []
    assert "published without being measured" in told.err
    assert loop.main([]) == 2
    told = capsys.readouterr()
    assert "serves, and the tables allow no comparison with it" in told.err
    assert "build" not in told.err


def test_events_without_a_purchase_are_left_out_and_judgments_measured(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shop()
    header, *rows = (folder / "events.csv").read_text().splitlines()
    viewed = "\n".join([f"{header},action", *(f"{row},view" for row in rows)])
    (folder / "events.csv").write_text(viewed)
    assert loop.main([]) == 0
    told = capsys.readouterr()
    assert "not measured by events: " in told.err
    (evaluation,) = open_registry(tmp_path / "registry").evaluations("search", told.out.strip())
    assert {measure.task for measure in evaluation.measures} == {"search", "rerank"}
