"""`scripts/evaluate`: from a release folder and a prepared dataset to what the release is worth."""

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from model_image.base import BaseError, add_base, find_base
from model_image.cli_parser import parser as verb_parser
from model_image.evaluation import encode
from model_image.index import IndexFileError
from model_image.layout import EVALUATION
from model_image.products import ProductsError
from model_image.server.backend import BACKENDS, open_backend
from model_image.settings import ModelError
from model_image.signals.errors import SignalsError
from model_image.training.dataset import Dataset, DatasetError
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.measures import GUARDED, Key

REPORT = "report.html"

_DESCRIPTION = """\
Measure a release on a prepared dataset and write a folder with

  evaluation.json    every metric with its 95 % interval, differences to each baseline, latency: what the registry's
                     gate reads
  report.html        the same to read, one file

Graded queries are searched in the whole catalogue and reranked among what was judged; users with purchases on both
sides of the dataset's cut are recommended their next basket. Baselines: BM25, the encoder --base as it is and both
fused; popularity, own frequency, item-kNN, that encoder, and the first three fused. Models that classify or regress are
asked the texts that training did not read, one in ten; baselines: the most frequent label or the median, and a linear
model of words. --against compares with other releases, such as the one that serves, and their latency in turn. Takes 2
to 4 minutes for 5,000 products and 120 queries on two cores; with --cache the baseline's vectors are computed once. A
release with a search ranker is asked fairly only where the data was prepared with --hold-fold before it was built; else
its search is reported, but guards nothing."""

_EXAMPLES = """\
examples:
  scripts/evaluate --data ./prepared --release ./release --out ./evaluated
  scripts/evaluate --data ./prepared --release ./new --against ./serving --out ./evaluated --cache ~/.cache/vectors
  scripts/evaluate --data ./prepared --release ./release --out ./evaluated --guard search:recall@100:all
exit codes: 0 done, 1 the disk, a model or the measurement failed, 2 bad input
"""


class _InputError(Exception):
    pass


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; the folder written goes to stdout, progress to stderr."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(given)
    try:
        _check(arguments)
        _evaluate(arguments, "scripts/evaluate " + shlex.join(given))
    except (BaseError, DatasetError, _InputError) as error:
        _say(f"error: {error}")
        return 2
    except (IndexFileError, MeasureError, ModelError, OSError, ProductsError, SignalsError) as error:
        _say(f"error: {error}")
        return 1
    print(arguments.out)
    return 0


def _evaluate(arguments: argparse.Namespace, command: str) -> None:
    dataset = Dataset(arguments.data)
    from model_image.training.evaluate import report
    from model_image.training.evaluate.evaluating import evaluate
    from model_image.training.evaluate.questions import Settings

    result = evaluate(
        dataset,
        arguments.release,
        find_base(arguments.base, download=arguments.download),
        open_backend(arguments.backend, threads=len(os.sched_getaffinity(0))),
        against=arguments.against,
        settings=Settings(fold=arguments.fold, horizon_days=arguments.horizon, cache=arguments.cache),
        guarded=GUARDED | {_key(text) for text in arguments.guard},
        say=_say,
    )
    with tempfile.TemporaryDirectory(dir=arguments.out.parent, prefix=f".{arguments.out.name}-") as name:
        folder = Path(name) / "out"
        folder.mkdir()
        (folder / EVALUATION).write_bytes(encode(result.evaluation))
        (folder / REPORT).write_text(report.render(result, command), encoding="utf-8")
        folder.rename(arguments.out)  # seen whole or not at all


def _check(arguments: argparse.Namespace) -> None:
    """Refuse before the minutes of work what would fail after them."""
    for text in arguments.guard:
        _key(text)
    if arguments.out.exists():
        raise _InputError(f"--out {arguments.out}: is there already, expected a new folder; name another one")
    if not arguments.out.parent.is_dir():
        raise _InputError(f"--out {arguments.out}: {arguments.out.parent} is no folder; make it first")
    for folder in (arguments.release, *arguments.against):
        if not folder.is_dir():
            raise _InputError(f"{folder}: not a folder, expected a release as scripts/publish builds it")


def _key(text: str) -> Key:
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise _InputError(f"--guard {text!r}: expected TASK:METRIC:SEGMENT, for example search:ndcg@10:all")
    return Key(*parts)


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("evaluate", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("--data", type=Path, required=True, help="the folder that scripts/prepare wrote")
    parser.add_argument("--release", type=Path, required=True, help="the release folder to measure, sealed or not yet")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write; it must not be there")
    parser.add_argument("--against", type=Path, action="append", default=[], help="another release; may be repeated")
    parser.add_argument(
        "--fold",
        type=int,
        choices=range(5),
        help="only the queries of this fold (default: the one that preparing held out, or all where none was)",
    )
    parser.add_argument(
        "--horizon", type=int, default=61, metavar="DAYS", help="how late after the cut a basket counts (default: 61)"
    )
    parser.add_argument(
        "--guard",
        action="append",
        default=[],
        metavar="TASK:METRIC:SEGMENT",
        help="must not be lost either; added to ndcg@10 of search, and to ndcg@10 and recall@20 of recommend on all "
        "and novel products; may be repeated",
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps the baseline's vectors (default: none)")
    add_base(parser)
    parser.add_argument("--backend", choices=BACKENDS, default="auto", help="what computes (default: auto)")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
