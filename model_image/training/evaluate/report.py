"""The report: one HTML file that needs nothing else, for a reader who knows neither the data nor the code."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_image.evaluation import Estimate
from model_image.training.evaluate import plots
from model_image.training.evaluate.bootstrap import interval
from model_image.training.evaluate.evaluating import Result
from model_image.training.evaluate.measures import Key
from model_image.training.evaluate.protocol import ALL
from model_image.training.evaluate.segments import FEWEST
from model_image.training.evaluate.summary import Answered
from model_image.training.evaluate.verdicts import HEAD_SEGMENTS, short, show, task_verdicts, verdicts

TEMPLATE = "report.html.j2"
_SENTENCES = {
    "search": "Searching: each query over the whole catalogue; products without a judgment count as irrelevant.",
    "rerank": "Reranking: each query over the products that were judged for it.",
    "recommend": "Recommending: the user's first basket after the cut, ranked among the whole catalogue.",
}


def render(result: Result, command: str) -> str:
    """The whole page; `command` is what makes it again."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        candidate=result.candidate,
        short=short(result.candidate),
        evaluation=result.evaluation,
        tasks=[_task(result, one) for one in result.answered],
        models=list(task_verdicts(result)),
        latency=_latency(result) if result.answered else "",
        command=command,
        fewest=FEWEST,
        show=show,
    )


def _task(result: Result, one: Answered) -> dict[str, Any]:
    task = one.question.task
    mine = [measure for measure in result.evaluation.measures if measure.task == task.name]
    estimates = {(measure.metric, measure.segment): measure for measure in mine}
    rows, main = list(verdicts(result, one)), task.metrics[0]
    words = Counter(row.word for row in rows if (row.metric, row.segment) == (main, ALL))
    return {
        "name": task.name,
        "sentence": _SENTENCES.get(task.name, ""),
        "summary": f"{main} {show(estimates[main, ALL].estimate)}: better than {words['better']} of {words.total()} "
        f"others, worse than {words['worse']}, not told apart from {words['not told apart']}.",
        "verdicts": rows,
        "metrics": task.metrics,
        "segments": [
            (segment.name, [estimates[metric, segment.name] for metric in task.metrics])
            for segment in task.segments
            if (main, segment.name) in estimates
        ],
        "facts": task.facts,
        "unknown": {short(name): count for name, count in one.unknown.items() if count},
        "plots": [
            (f"{main}, {segment}", plots.bars(f"{main}, {segment}", found))
            for segment, found in _by_segment(result, one)
        ],
        "chances": one.chances,
        "event": one.question.event,
        "no_chances": one.no_chances,
        "reliability": one.chances
        and plots.reliability(
            "Probability of " + one.question.event,
            one.chances.points_before,
            one.chances.points_after,
            "as served" if one.chances.served else "calibrated here",
        ),
    }


def _by_segment(result: Result, one: Answered) -> Iterator[tuple[str, dict[str, Estimate]]]:
    task = one.question.task
    for segment in HEAD_SEGMENTS:
        key = Key(task.name, task.metrics[0], segment)
        if key in one.measured[result.candidate]:
            yield segment, {short(name): interval(found[key]) for name, found in one.measured.items()}


def _latency(result: Result) -> str:
    names = list(result.answered[0].latency_ms)
    by_task = {one.question.task.name: [one.latency_ms[name] for name in names] for one in result.answered}
    return plots.latency([short(name) for name in names], by_task)
