"""`scripts/train`: fine-tune an encoder on the examples of a prepared dataset."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from model_image.base import add_base, find_base
from model_image.cli_parser import parser as verb_parser
from model_image.settings import ModelError
from model_image.tables import TableError
from model_image.training.dataset import EXAMPLES, Dataset, DatasetError
from model_image.training.train.errors import TrainError, TrainInputError
from model_image.training.train.settings import PRESETS, read_settings

_DESCRIPTION = """\
Fine-tune an encoder on the examples of a prepared dataset (scripts/prepare), and print the folder of the trained model:
config.json, model.safetensors, tokenizer.json and settings.json as the server loads them, log.csv and training.json.

tasks:
  rank      a cross-encoder: one score for a query and a text          metric ndcg@10
  retrieve  an encoder: a query's vector near that of its text         metric mrr@10
  classify  one label per text                                         metric macro_f1
  regress   one value per text                                         metric mae (lower is better)
The weights with the best metric on the validation's examples are kept. While a run goes on it works in OUTPUT.run;
one that was killed goes on with the same command and --resume, on one CPU thread to the same bits.
The smoke preset takes about half a minute for MiniLM on two cores.
"""

_EXAMPLES = """\
examples:
  scripts/train --data prepared --task rank --preset smoke --output ranker
  scripts/train --data prepared --task retrieve --preset lora --set rate=1e-4 --set epochs=2 --output encoder
  torchrun --nproc-per-node 4 -m model_image.training.train --data prepared --task rank --output ranker --resume
exit codes: 0 done, 1 the run failed (a loss that is no number, a full disk, a rank that died), 2 bad input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; the output folder goes to stdout, progress to stderr."""
    arguments = _parser().parse_args(argv)
    try:
        settings = read_settings(arguments.preset, arguments.set)
        dataset = Dataset(arguments.data)
        dataset.examples(arguments.task)

        from model_image.training.train.plan import Job  # torch: seconds to import, not needed to refuse a word
        from model_image.training.train.ranks import open_ranks
        from model_image.training.train.train import train

        base = find_base(arguments.base, download=arguments.download)
        job = Job(
            task=arguments.task,
            dataset=dataset,
            base=base.folder,
            pooling=base.settings.pooling,
            output=arguments.output,
            settings=settings,
            resume=arguments.resume,
        )
        with open_ranks(os.environ, settings.device) as ranks:
            training = train(job, ranks)
    except (DatasetError, ModelError, TableError, TrainInputError) as error:
        return _failed(error, 2)
    except (TrainError, OSError) as error:
        return _failed(error, 1)
    except RuntimeError as error:  # torch's own: no memory left on the GPU, no connection to the other ranks
        return _failed(TrainError(f"torch: {str(error).partition(chr(10))[0]}; --resume goes on"), 1)
    if ranks.first:
        best = "" if training.best is None else f", {training.metric} {training.best:.4f} at step {training.best_step}"
        print(f"{training.steps} steps in {training.seconds:.0f} s{best}", file=sys.stderr)
        if training.best is not None and training.best_step == 0:
            print("nothing was better than the base: these are its weights as they were", file=sys.stderr)
        print(arguments.output)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = verb_parser(
        "train", _DESCRIPTION, f"keys of --set, with the default preset's values:\n{_keys()}\n{_EXAMPLES}"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of a prepared dataset")
    parser.add_argument("--task", choices=sorted(EXAMPLES), required=True, help="what to learn")
    add_base(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder to make; it must not exist")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="default", help="settings to begin with")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="one setting over the preset; may be repeated"
    )
    parser.add_argument("--resume", action="store_true", help="go on with a run that was killed, if there is one")
    return parser


def _keys() -> str:
    pairs = [f"{name}={getattr(PRESETS['default'], name)}" for name in sorted(PRESETS["default"].__dataclass_fields__)]
    return "".join(
        f"  {'  '.join(f'{pair:24}' for pair in pairs[at : at + 4]).rstrip()}\n" for at in range(0, len(pairs), 4)
    )


def _failed(error: Exception, code: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    return code
