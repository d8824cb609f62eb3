"""Whether a release is asked what it learnt from: such a measure says nothing of what it will be asked."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from model_image.training.dataset import JUDGMENTS, Dataset
from model_image.training.evaluate.measures import Key
from model_image.training.evaluate.questions import Question, Settings, asked_fold
from model_image.training.evaluate.releases import Systems
from model_image.training.evaluate.search_task import RERANK, SEARCH


def leak(dataset: Dataset, settings: Settings, releases: Sequence[Systems]) -> str:
    """What to tell where a search ranker of `releases` is measured on queries that the dataset did not hold out; ''
    where all is well."""
    held, fold = dataset.prepared.hold_fold, asked_fold(dataset, settings)
    learnt = [release.name for release in releases if SEARCH in release.learnt]
    if not learnt or not dataset.has(JUDGMENTS) or (held is not None and fold == held):
        return ""
    asked = "all queries" if fold is None else f"fold {fold}"
    away = "none" if held is None else f"fold {held}"
    return (
        f"{learnt[0]} has a search ranker and may have learnt from what it is asked here: measured on {asked}, held "
        f"out was {away}; search is not guarded. For a fair number prepare with --hold-fold, build and evaluate on that"
    )


def without_search(guarded: Collection[Key]) -> frozenset[Key]:
    """What is left to guard."""
    return frozenset(key for key in guarded if key.task not in (SEARCH, RERANK))


def with_warning(question: Question, warning: str) -> Question:
    """A searching `question` whose facts, and so the report, tell the `warning`; others as they are."""
    task = question.task
    if not warning or task.name not in (SEARCH, RERANK):
        return question
    return replace(question, task=replace(task, facts={**task.facts, "caution": warning}))
