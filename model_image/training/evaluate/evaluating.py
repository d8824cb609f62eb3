"""One evaluation from end to end: a release, the baselines and other releases on a prepared dataset."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model_image.base import Base
from model_image.evaluation import SCHEMA, Evaluation
from model_image.server.backend import Backend
from model_image.training.dataset import Dataset
from model_image.training.evaluate.calibration import served
from model_image.training.evaluate.chances import chances
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.latency import latencies_ms
from model_image.training.evaluate.leaks import leak, with_warning, without_search
from model_image.training.evaluate.measures import GUARDED, Key, values
from model_image.training.evaluate.protocol import System
from model_image.training.evaluate.questions import Question, Settings, askable, questions
from model_image.training.evaluate.rankings import Run, unknown_products
from model_image.training.evaluate.releases import Systems, systems
from model_image.training.evaluate.summary import Answered, compared, latency, told
from model_image.training.evaluate.task_models import TaskResult, task_results
from model_image.training.evaluate.vectors import zero_shot

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What is stored and what the report shows beside it."""

    candidate: str
    evaluation: Evaluation
    answered: tuple[Answered, ...]
    tasks: tuple[TaskResult, ...] = ()


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
    chosen = settings or Settings()
    if warning := leak(dataset, chosen, releases):
        say(f"caution: {warning}")
        guarded = without_search(guarded)
    tasks = tuple(task_results(dict(zip(names, (candidate, *against), strict=True)), dataset, backend, say))
    asked: Iterable[Question] = ()
    if askable(dataset) or not tasks:
        say("vectors of the zero-shot baseline, a minute for 5,000 products")
        asked = questions(dataset, zero_shot(base, backend), f"{base.revision} {backend.name}", chosen)
    answered = tuple(_answered(with_warning(question, warning), candidate, releases, say) for question in asked)
    return Result(
        candidate=names[0],
        evaluation=Evaluation(
            schema=SCHEMA,
            data_revision=dataset.prepared.revision,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            measures=tuple(told(answered, tasks, names[0], guarded)),
            comparisons=compared(answered, tasks, guarded),
            latency_ms=latency(answered, names[0]),
            other_latency_ms={name: latency(answered, name) for name in names[1:]},
        ),
        answered=answered,
        tasks=tasks,
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
    found, why = None, ""
    if question.folds is not None:
        sealed = served(candidate, question.side)
        try:
            found = chances(task, first, question.folds, event=question.event, most=question.most, served=sealed)
        except MeasureError as error:  # a ranking need not be a probability
            why = str(error)
            say(f"{task.name}: probabilities are not measured: {why}")
    say(f"{task.name}: latency")
    return Answered(
        question=question,
        measured=measured,
        latency_ms=latencies_ms(own, task.asked),
        unknown=unknown,
        chances=found,
        no_chances=why,
    )
