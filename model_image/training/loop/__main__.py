"""`python -m model_image.training.loop`: from a shop's tables to a release on trial; what the site's retraining runs.

    prepare → train (where asked) → build → evaluate beside the stable release → publish → canary

Under torchrun every machine prepares the same data for itself, all ranks train, and the first one does the rest.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from model_image.promotion import ALLOWANCE_MS, LATENCY_BUDGET
from model_image.training.compress.methods import add_compress
from model_image.training.dataset import EXAMPLES
from model_image.training.loop.files import InputFilesError
from model_image.words import ConfigError

_DESCRIPTION = """\
Prepare the shop's tables, train where asked, build a release with its rankers, measure it beside the stable release on
data it never saw, publish it, and let it answer a few of the users. Every step is one of the verbs scripts/prepare,
train, evaluate, publish and canary.

Release 0 comes first where requirements.txt is installed (scripts/publish --promote): the image carries no weights, so
a run inside it begins with the encoder of the stable release.

Tables lie in TRAINING_INPUT as catalogue, events, queries, judgments, classify and regress, each a .csv, .csv.gz or
.parquet file or a folder of such; what is not there is left out, but for the catalogue. Words of the environment:
  TRAINING_REGISTRY (s3://<bucket> or a folder), TRAINING_INPUT (folder), TRAINING_DATA (folder to work in): required
  TRAINING_KEY (file of the key that names users; needed for events; scripts/prepare --new-key makes one)
A run that was killed goes on where its folder in TRAINING_DATA still is; with other tables, settings or code it begins
anew. A release that is measured worse than the one that serves is not published; the reasons are told, and where it is
a trained model that the gate refuses, the release without it is tried. Tables that allow no question (a catalogue
alone, views without purchases) make the first release, unmeasured; nothing follows it until they do.

The queries of --hold-fold choose among the trained models and then judge the release against the stable one: what was
chosen by them looks a little better than it is. Keep one fold: a stable release built with another fold has learnt
from the queries it is now measured by, and looks better than it is, and so does what goes on from its encoder.
"""

_EXAMPLES = """\
examples:
  python -m model_image.training.loop
  python -m model_image.training.loop --tune retrieve --preset lora --percent 5
  torchrun --nproc-per-node 2 -m model_image.training.loop --tune rank
exit codes: 0 done (also where the release is not better and was left unpublished), 1 a step failed, 2 bad input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run all steps; the digest on trial goes to stdout, progress to stderr."""
    options = parser().parse_args(argv)
    from model_image.registry_errors import RegistryError
    from model_image.training.data.errors import InputError
    from model_image.training.loop.errors import LoopError
    from model_image.training.loop.run import Run, read_run
    from model_image.training.train.errors import TrainInputError

    try:
        run: Run = read_run(os.environ, options)
        digest = run.all(_say)
    except (ConfigError, InputError, InputFilesError, RegistryError, TrainInputError) as error:
        return _failed(error, 2)
    except LoopError as error:
        return _failed(error, error.code)
    if digest:
        print(digest)
    return 0


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m model_image.training.loop",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--model", default="search", help="name of the channel (default: search)")
    add("--column", action="append", default=[], metavar="TABLE.OURS=THEIRS", help="as scripts/prepare has it")
    add(
        "--cut",
        metavar="TIME",
        help="end of what is learnt from (default: a midnight, about 80 %% of the events before it)",
    )
    add(
        "--hold-fold",
        type=int,
        default=0,
        choices=range(5),
        help="queries that only measure (default: 0); keep it",
    )
    add(
        "--tune",
        action="append",
        default=[],
        choices=sorted(EXAMPLES),
        help="train this model too; retrieve (encoder) and rank (cross-encoder) stay only where they gain; repeatable",
    )
    add("--preset", default="default", help="of training (default: default)")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="one setting of training; repeatable")
    add(
        "--base",
        metavar="ENCODER",
        help="to begin with: minilm (packaged), a folder, or stable, that of the release that serves (default: minilm "
        "where it is installed, which it is not in the image, else stable)",
    )
    add_compress(parser, below="the release goes on as it is")
    add("--percent", type=int, default=10, help="of the users who meet the release on trial (default: 10)")
    add(
        "--latency-budget",
        type=float,
        default=LATENCY_BUDGET,
        metavar="FACTOR",
        help=f"times the stable release's latency accepted, {ALLOWANCE_MS:g} ms more (default: {LATENCY_BUDGET})",
    )
    add("--promote", action="store_true", help="for all users at once, where the gate has nothing against it")
    return parser


def _failed(error: Exception, code: int) -> int:
    """Told by every rank: only the one that it happened to knows why."""
    rank = os.environ.get("RANK", "0")
    _print(f"error: {error}" if rank == "0" else f"error at rank {rank}: {error}")
    return code


def _say(text: str) -> None:
    if os.environ.get("RANK", "0") == "0":
        _print(text)


def _print(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
