"""What goes on trial beside the stable release, and what does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from model_image.channel import Channel
from model_image.evaluation import SCHEMA, Comparison, Estimate, Evaluation, Measure
from model_image.layout import CROSS_ENCODER, RANKERS
from model_image.registry import Registry
from model_image.training.build import MODEL_FILES, add_cross_encoder
from model_image.training.loop.errors import LoopError
from model_image.training.loop.release import Offer, Serving, Terms, put_on_trial, stable_of

MakeRelease = Callable[..., Path]
TERMS = Terms(percent=10, promote=False, budget=1.2)


def measured(other: str, *, low: float = -0.1, high: float = 0.1, latency: float = 1.0) -> Evaluation:
    estimate = Estimate(value=(low + high) / 2, low=low, high=high, count=100)
    measure = Measure(task="search", metric="ndcg@10", segment="all", better="higher", guarded=True, estimate=estimate)
    return Evaluation(
        schema=SCHEMA,
        data_revision="r",
        created="2026-01-01T00:00:00+00:00",
        measures=(measure,),
        comparisons=(Comparison(other=other, differences=(measure,)),),
        latency_ms={"search": latency},
        other_latency_ms={other: {"search": 1.0}},
    )


def offer(folder: Path, evaluation: Evaluation, digest: str) -> Offer:
    return Offer(folder=folder, evaluate=lambda: evaluation, seal=lambda found: digest)


@pytest.fixture
def stable(make_release: MakeRelease, folder_registry: Registry) -> str:
    digest = folder_registry.publish(make_release("red shoes"))
    folder_registry.promote("search", digest, who="test", why="test")
    return digest


def test_what_is_measured_worse_is_not_published_and_the_reasons_are_told(
    make_release: MakeRelease, folder_registry: Registry, stable: str
) -> None:
    said: list[str] = []
    worse = Offer(
        folder=make_release("blue shoes"),
        evaluate=lambda: measured(stable, low=-0.2, high=-0.1),
        seal=lambda found: pytest.fail("what is not published needs no seal"),
    )
    serving = Serving(channel=folder_registry.channel("search"))
    assert put_on_trial(folder_registry, serving, [worse], TERMS, said.append) is None
    assert any("search ndcg@10 on all" in line for line in said)
    assert folder_registry.channel("search").stable == stable
    assert [manifest.digest for manifest in folder_registry.releases("search")] == [stable]


def test_where_the_gate_refuses_the_best_one_by_latency_the_next_one_goes_on_trial(
    make_release: MakeRelease, folder_registry: Registry, stable: str, tmp_path: Path
) -> None:
    said: list[str] = []
    slow, plain = make_release("slow shoes"), make_release("plain shoes")
    digest = folder_registry.publish(plain)
    offers = [offer(slow, measured(stable, latency=99.0), "never"), offer(plain, measured(stable), digest)]
    serving = Serving(channel=folder_registry.channel("search"))
    assert put_on_trial(folder_registry, serving, offers, TERMS, said.append) == digest
    assert folder_registry.channel("search").canary == digest
    assert any("latency_ms of search" in line for line in said)


def test_a_release_on_trial_that_makes_room_is_named_and_a_channel_that_moved_is_left_alone(
    make_release: MakeRelease, folder_registry: Registry, stable: str
) -> None:
    said: list[str] = []
    before = folder_registry.channel("search")
    old = folder_registry.publish(make_release("old trial"))
    folder_registry.canary("search", old, 5, who="test", why="test")
    new = make_release("new trial")
    offers = [offer(new, measured(stable), folder_registry.publish(new))]

    def tried(channel: Channel) -> str | None:
        return put_on_trial(folder_registry, Serving(channel=channel), offers, TERMS, said.append)

    with pytest.raises(LoopError, match=r"canary: .* was moved by somebody else meanwhile"):
        tried(before)
    assert folder_registry.channel("search").canary == old
    assert tried(folder_registry.channel("search")) == folder_registry.channel("search").canary != old
    assert f"ends the trial of {old}, which answered 5 % of the users" in said


def test_a_stable_release_of_other_features_is_measured_without_its_rankers_and_nothing_is_promoted_past_it(
    make_release: MakeRelease, folder_registry: Registry, tmp_path: Path
) -> None:
    def of_another_version(folder: Path) -> None:
        (folder / RANKERS).mkdir()
        (folder / RANKERS / "recommend.txt").write_text("tree")
        (folder / RANKERS / "recommend.json").write_text('{"task":"recommend","version":0,"features":[],"digest":""}')

    said: list[str] = []
    digest = folder_registry.publish(make_release("red shoes", break_it=of_another_version))
    folder_registry.promote("search", digest, who="test", why="test")
    serving = stable_of(folder_registry, "search", tmp_path / "work", said.append)
    assert serving.folder == tmp_path / "work" / digest
    assert not (serving.folder / RANKERS).exists()
    assert any("is measured without rankers, so weaker than it serves" in line for line in said)
    new = make_release("new shoes")
    offers = [offer(new, measured(digest), folder_registry.publish(new))]
    terms = Terms(percent=10, promote=True, budget=1.2)
    put_on_trial(folder_registry, serving, offers, terms, said.append)
    channel = folder_registry.channel("search")
    assert (channel.stable, channel.canary_percent) == (digest, 10)
    assert any("it was compared with less than what serves" in line for line in said)


def test_a_release_with_a_cross_encoder_shares_its_files_with_the_one_without(
    make_release: MakeRelease, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for name in MODEL_FILES:
        (model / name).write_text(name)
    plain = make_release("red shoes")
    add_cross_encoder(plain, tmp_path / "both", model)
    assert (tmp_path / "both" / "catalogue.jsonl").stat().st_ino == (plain / "catalogue.jsonl").stat().st_ino
    assert {path.name for path in (tmp_path / "both" / CROSS_ENCODER).iterdir()} == set(MODEL_FILES)
    assert not (plain / CROSS_ENCODER).exists()
