"""What was answered, as the measures and comparisons of an evaluation."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from model_image.evaluation import Comparison, Estimate, Measure
from model_image.training.evaluate.chances import Chances
from model_image.training.evaluate.measures import Key, compare, measures
from model_image.training.evaluate.protocol import ALL
from model_image.training.evaluate.questions import Question
from model_image.training.evaluate.task_models import TaskResult

LOWER = frozenset({"log_loss", "brier", "ece", "grade_mae", "mae"})


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


def told(
    answered: Sequence[Answered], tasks: Sequence[TaskResult], name: str, guarded: Collection[Key]
) -> Iterator[Measure]:
    """The measures of the candidate `name`."""
    for one in answered:
        yield from measures(one.measured[name], guarded=guarded)
        if one.chances:
            every = {**one.chances.after, **one.chances.graded}
            yield from (_reported(one.question.task.name, metric, found) for metric, found in every.items())
    for task in tasks:
        yield from task.measures()


def compared(
    answered: Sequence[Answered], tasks: Sequence[TaskResult], guarded: Collection[Key]
) -> tuple[Comparison, ...]:
    """One for each other system, over all tasks that it answered."""
    found: dict[str, list[Measure]] = {}
    for one in answered:
        candidate, *others = one.measured
        for name in others:
            differences = compare(one.measured[candidate], one.measured[name], name, guarded=guarded).differences
            found.setdefault(name, []).extend(differences)
    for task in tasks:
        for name in list(task.said)[1:]:
            found.setdefault(name, []).extend(task.differences(name))
    return tuple(Comparison(other=name, differences=tuple(differences)) for name, differences in found.items())


def latency(answered: Sequence[Answered], name: str) -> dict[str, float]:
    """Milliseconds by task."""
    return {one.question.task.name: one.latency_ms[name] for one in answered}


def _reported(task: str, metric: str, estimate: Estimate) -> Measure:
    better = "lower" if metric in LOWER else "higher"
    return Measure(task=task, metric=metric, segment=ALL, better=better, guarded=False, estimate=estimate)  # type: ignore[arg-type]
