"""`scripts/build`: from a prepared dataset and trained models to a sealed release folder."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from model_image.base import BaseError, add_base, find_base
from model_image.cli_parser import parser as verb_parser
from model_image.evaluation import Evaluation, EvaluationError, decode
from model_image.registry_errors import RegistryError
from model_image.settings import ModelError
from model_image.training.compress.errors import CompressError
from model_image.training.compress.methods import add_compress
from model_image.training.dataset import Dataset, DatasetError
from model_image.training.disk import sync_all

_DESCRIPTION = """\
Build a release: the encoder, the catalogue with its vectors, the lexical index, what customers did, and the rankers
fitted on the dataset's judgments and purchases; with trained models where they are given. Prints its digest.
About 100 products per second on two cores, then a minute for 120 queries and five for 300,000 purchases.
"""

_EXAMPLES = """\
examples (of data prepared with --hold-fold 0, else its search can only be measured on what it learnt):
  scripts/build --data prepared --out release
  scripts/build --data prepared --encoder encoder --cross-encoder ranker --task price=price --out release
  scripts/build --data prepared --compress int8 --out release
  scripts/build --data prepared --evaluation evaluated/evaluation.json --out release
then: scripts/evaluate --data prepared --release release --out evaluated
      scripts/publish --folder release --registry s3://models
exit codes: 0 done, 1 the disk or a model failed, 2 bad input; no folder after 1 and 2
"""


class _InputError(Exception):
    pass


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; the digest goes to stdout, progress to stderr."""
    arguments = _parser().parse_args(argv)
    try:
        digest = _build(arguments)
    except (BaseError, DatasetError, EvaluationError, RegistryError, _InputError) as error:
        _say(f"error: {error}")
        return 2
    except (CompressError, ModelError, OSError, ValueError) as error:
        _say(f"error: {error}")
        return 1
    print(digest)
    return 0


def _build(arguments: argparse.Namespace) -> str:
    from model_image.registry import check_model

    out: Path = arguments.out
    check_model(arguments.model)
    if out.exists():
        raise _InputError(f"--out {out}: is there already, expected a new folder; name another one")
    tasks = dict(_task(text) for text in arguments.task)
    for folder in filter(None, (arguments.encoder, arguments.cross_encoder, *tasks.values())):
        if not (folder / "settings.json").is_file():
            raise _InputError(f"{folder}: has no settings.json, expected a model as scripts/train writes it")
    evaluation = _evaluation(arguments.evaluation)
    base = find_base(arguments.base, download=arguments.download)
    dataset = Dataset(arguments.data)
    if evaluation and evaluation.data_revision != dataset.prepared.revision:
        raise _InputError(
            f"--evaluation {arguments.evaluation}: measured on data {evaluation.data_revision}, expected "
            f"{dataset.prepared.revision} of --data {arguments.data}; evaluate on this data, or name that one"
        )

    from model_image.server.backend import open_backend
    from model_image.training.build import Models, build, refresh, seal
    from model_image.training.compress.compressing import compress

    models = Models(base=base, encoder=arguments.encoder, cross_encoder=arguments.cross_encoder, tasks=tasks)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as name:
        folder = Path(name) / "out"
        folder.mkdir()
        build(dataset, folder, models, open_backend("auto", threads=len(os.sched_getaffinity(0))), _say)
        if arguments.compress:
            compress(folder, dataset, list(dict.fromkeys(arguments.compress)), least=arguments.agreement, say=_say)
        if arguments.refresh:
            refresh(folder, dataset)
        digest = seal(folder, dataset, models, model=arguments.model, evaluation=evaluation).digest
        sync_all(folder)
        folder.rename(out)  # seen whole or not at all
    return digest


def _evaluation(path: Path | None) -> Evaluation | None:
    if path is None:
        return None
    try:
        return decode(path.read_bytes(), path)
    except OSError as error:
        raise _InputError(f"--evaluation {path}: {error.strerror}, expected what scripts/evaluate wrote") from error


def _task(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise _InputError(f"--task {text!r}: expected NAME=FOLDER such as price=./price-model")
    return name, Path(folder)


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser("build", _DESCRIPTION, _EXAMPLES)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="the folder that scripts/prepare wrote")
    add("--out", type=Path, required=True, help="the release folder to make")
    add("--model", default="search", help="name of the channel that it is for (default: search)")
    add_base(parser)
    add("--encoder", type=Path, metavar="FOLDER", help="trained for retrieve (default: the base as it is)")
    add("--cross-encoder", type=Path, metavar="FOLDER", help="trained for rank (default: none)")
    add("--task", action="append", default=[], metavar="NAME=FOLDER", help="trained to classify or regress; repeatable")
    add_compress(parser, below="the verb fails")
    add("--refresh", action="store_true", help="what customers did up to the last event, not only before the cut")
    add("--evaluation", type=Path, metavar="FILE", help="seal what was measured of such a release, on this data")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
