"""The whole loop on a small shop, by the command that the site's retraining runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from model_image.evaluation import SCHEMA, Comparison, Estimate, Evaluation, Measure
from model_image.registry import open_registry
from model_image.training.loop import __main__ as loop
from model_image.training.loop.release import put_on_trial

Shop = Callable[..., Path]


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

    assert loop.main(["--percent", "20"]) == 0
    told = capsys.readouterr()
    channel = registry.channel("search")
    assert channel.stable == first
    assert (channel.canary, channel.canary_percent) == (told.out.strip(), 20)
    assert "scripts/promote" in told.err
    users = {line.split(",")[0] for line in (tmp_path / "tables" / "events.csv").read_text().splitlines()[1:]}
    stored = [path for path in (tmp_path / "registry").rglob("*") if path.is_file()]
    assert not [path for path in stored if any(user.encode() in path.read_bytes() for user in users)]


def measured(low: float, high: float, other: str) -> Evaluation:
    estimate = Estimate(value=(low + high) / 2, low=low, high=high, count=100)
    measure = Measure(task="search", metric="ndcg@10", segment="all", better="higher", guarded=True, estimate=estimate)
    return Evaluation(
        schema=SCHEMA,
        data_revision="r",
        created="2026-01-01T00:00:00+00:00",
        measures=(measure,),
        comparisons=(Comparison(other=other, differences=(measure,)),),
        latency_ms={"search": 1.0},
        other_latency_ms={other: {"search": 1.0}},
    )


def test_what_is_measured_worse_is_not_published_and_the_reasons_are_told(
    make_release: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "registry").mkdir()
    registry = open_registry(tmp_path / "registry")
    stable = registry.publish(make_release("red shoes"))
    registry.promote("search", stable, who="test", why="test")
    said: list[str] = []
    digest = put_on_trial(
        registry,
        registry.channel("search"),
        make_release("blue shoes"),
        measured(-0.2, -0.1, stable),
        percent=10,
        promote=True,
        seal=lambda: pytest.fail("what is not published needs no seal"),
        say=said.append,
    )
    assert digest is None
    assert any("search ndcg@10 on all" in line for line in said)
    assert registry.channel("search").stable == stable
    assert [manifest.digest for manifest in registry.releases("search")] == [stable]


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
