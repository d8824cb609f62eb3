"""One evaluation from end to end: a release, the baselines and other releases on a prepared dataset."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model_image.base import Base
from model_image.evaluation import SCHEMA, Comparison, Estimate, Evaluation, Measure
from model_image.server.backend import Backend
from model_image.training.dataset import Dataset
from model_image.training.evaluate.calibration import served
from model_image.training.evaluate.chances import Chances, chances
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.latency import latencies_ms
from model_image.training.evaluate.leaks import leak, with_warning, without_search
from model_image.training.evaluate.measures import GUARDED, Key, compare, measures, values
from model_image.training.evaluate.protocol import ALL, System
from model_image.training.evaluate.questions import Question, Settings, questions
from model_image.training.evaluate.rankings import Run, unknown_products
from model_image.training.evaluate.releases import Systems, systems
from model_image.training.evaluate.task_models import task_measures
from model_image.training.evaluate.vectors import zero_shot

LOWER = frozenset({"log_loss", "brier", "ece", "grade_mae", "mae"})

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One question measured: of each system by its name, the candidate's first, the metrics by unit, the time of one
    request in milliseconds (releases alone), and how many products it named that the dataset lacks."""

    question: Question
    measured: Mapping[str, Mapping[Key, Mapping[str, float]]]
    latency_ms: Mapping[str, float]
    unknown: Mapping[str, int]
    chances: Chances | None
    no_chances: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What is stored and what the report shows beside it."""

    candidate: str
    evaluation: Evaluation
    answered: tuple[Answered, ...]


def evaluate(
    dataset: Dataset,
    candidate: Path,
    base: Base,
    backend: Backend,
    *,
    against: Sequence[Path] = (),
    settings: Settings | None = None,
    guarded: Collection[Key] = GUARDED,
    say: Say = lambda text: None,
) -> Result:
    """Measure the release folder `candidate`, compare it with every baseline (`base` is the encoder among them) and
    with the releases `against`.

    Search is not guarded where a release learnt from what is asked. Raises `MeasureError`, `DatasetError`, and what
    loading a release raises.
    """
    releases = [systems(folder, backend, dataset) for folder in (candidate, *against)]
    names = [release.name for release in releases]
    if len(set(names)) < len(names):
        raise MeasureError(
            f"--against: {names[0]} is compared with itself or another one twice; name each release once"
        )
    say("vectors of the zero-shot baseline, a minute for 5,000 products")
    chosen = settings or Settings()
    if warning := leak(dataset, chosen, releases):
        say(f"caution: {warning}")
        guarded = without_search(guarded)
    asked = questions(dataset, zero_shot(base, backend), f"{base.revision} {backend.name}", chosen)
    answered = tuple(_answered(with_warning(question, warning), candidate, releases, say) for question in asked)
    return Result(
        candidate=names[0],
        evaluation=Evaluation(
            schema=SCHEMA,
            data_revision=dataset.prepared.revision,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            measures=(*_measures(answered, names[0], guarded), *task_measures(candidate, dataset, backend)),
            comparisons=_comparisons(answered, guarded),
            latency_ms=_latency(answered, names[0]),
            other_latency_ms={name: _latency(answered, name) for name in names[1:]},
        ),
        answered=answered,
    )


def _answered(question: Question, candidate: Path, releases: Sequence[Systems], say: Say) -> Answered:
    task = question.task
    own: dict[str, System[Any]] = {release.name: getattr(release, question.side) for release in releases}
    measured: dict[str, dict[Key, dict[str, float]]] = {}
    unknown: dict[str, int] = {}
    first: Run = {}
    for name, system in {**own, **question.baselines}.items():
        say(f"{task.name}: {name}")
        run = system(task.asked)
        first = first or run
        measured[name] = values(task, run)
        unknown[name] = len(unknown_products(run, task.catalogue))
    found, why, told = None, "", served(candidate, question.side)
    if question.folds is not None:
        try:
            found = chances(task, first, question.folds, event=question.event, most=question.most, served=told)
        except MeasureError as error:  # a ranking need not be a probability
            why = str(error)
            say(f"{task.name}: no calibration: {why}")
    say(f"{task.name}: latency")
    return Answered(
        question=question,
        measured=measured,
        latency_ms=latencies_ms(own, task.asked),
        unknown=unknown,
        chances=found,
        no_chances=why,
    )


def _measures(answered: Sequence[Answered], name: str, guarded: Collection[Key]) -> Iterator[Measure]:
    for one in answered:
        yield from measures(one.measured[name], guarded=guarded)
        if one.chances:
            every = {**one.chances.after, **one.chances.graded}
            yield from (_reported(one.question.task.name, metric, found) for metric, found in every.items())


def _reported(task: str, metric: str, estimate: Estimate) -> Measure:
    better = "lower" if metric in LOWER else "higher"
    return Measure(task=task, metric=metric, segment=ALL, better=better, guarded=False, estimate=estimate)  # type: ignore[arg-type]


def _comparisons(answered: Sequence[Answered], guarded: Collection[Key]) -> tuple[Comparison, ...]:
    """One for each other system, over all tasks that it answered."""
    found: dict[str, list[Measure]] = {}
    for one in answered:
        candidate, *others = one.measured
        for name in others:
            differences = compare(one.measured[candidate], one.measured[name], name, guarded=guarded).differences
            found.setdefault(name, []).extend(differences)
    return tuple(Comparison(other=name, differences=tuple(differences)) for name, differences in found.items())


def _latency(answered: Sequence[Answered], name: str) -> dict[str, float]:
    return {one.question.task.name: one.latency_ms[name] for one in answered}
