"""The report's pictures: SVG as data URIs, drawn by matplotlib without a display."""

import base64
import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

from model_image.evaluation import Estimate
from model_image.training.evaluate.chances import Points

_INK, _GREY, _MINE, _OTHER = "#1d2430", "#5b6472", "#1f5fa8", "#a9b4c2"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _OTHER,
    "xtick.color": _GREY,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "report",
}


def bars(title: str, found: Mapping[str, Estimate]) -> str:
    """One bar per system, the first in another colour, with its interval and its value."""
    figure, axes = _figure(6.4, 0.9 + 0.42 * len(found))
    names, values = list(found), [estimate.value for estimate in found.values()]
    errors = [[e.value - e.low for e in found.values()], [e.high - e.value for e in found.values()]]
    places = range(len(names))
    axes.barh(places, values, height=0.62, color=[_MINE, *[_OTHER] * (len(names) - 1)])
    axes.errorbar(values, places, xerr=errors, fmt="none", ecolor=_INK, elinewidth=1.1, capsize=3)
    right = max(estimate.high for estimate in found.values()) or 1.0
    for place, estimate in zip(places, found.values(), strict=True):
        axes.text(estimate.high + 0.02 * right, place, f"{estimate.value:.3f}", va="center")
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15 * right)
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    return _uri(figure)


def reliability(title: str, before: Points, after: Points, name_after: str) -> str:
    """What came true of what was said, by the scores themselves and by the probabilities, called `name_after`; the
    nearer to the diagonal the better."""
    figure, axes = _figure(4.6, 4.2)
    axes.plot([0, 1], [0, 1], color=_OTHER, linewidth=1, linestyle="--")
    for points, colour, name in ((before, _OTHER, "as scored"), (after, _MINE, name_after)):
        said, came, count = zip(*points, strict=True)
        sizes = [18 + 160 * one / max(count) for one in count]
        axes.plot(said, came, color=colour, linewidth=1.4, label=name)
        axes.scatter(said, came, s=sizes, color=colour, zorder=3)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="probability said", ylabel="share that came true")
    axes.legend(frameon=False, loc="upper left")
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    return _uri(figure)


def latency(names: Sequence[str], by_task: Mapping[str, Sequence[float]]) -> str:
    """Milliseconds of one request, a group of bars per task, the candidate first."""
    figure, axes = _figure(6.4, 0.9 + 0.36 * len(names) * len(by_task))
    ticks: list[float] = []
    for group, times in enumerate(by_task.values()):
        places = [group * (len(names) + 0.8) + at for at in range(len(names))]
        axes.barh(places, times, height=0.7, color=[_MINE, *[_OTHER] * (len(names) - 1)])
        for place, taken in zip(places, times, strict=True):
            axes.text(taken, place, f" {taken:.1f} ms", va="center")
        ticks += places
    axes.set_yticks(ticks, [f"{task}: {name}" for task in by_task for name in names])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * max(max(times) for times in by_task.values()))
    axes.set_title("Median of one request", loc="left", fontsize=11, fontweight="bold")
    return _uri(figure)


def _matplotlib() -> Any:
    # It refuses to be imported with a backend that is not installed, and a notebook's kernel names its own to all it
    # starts.
    os.environ["MPLBACKEND"] = "agg"
    import matplotlib

    return matplotlib


def _figure(width: float, height: float) -> tuple[Any, Any]:
    matplotlib = _matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.subplots()


def _uri(figure: Any) -> str:
    matplotlib = _matplotlib()
    buffer = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
