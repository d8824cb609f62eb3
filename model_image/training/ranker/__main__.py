"""What the learned rankers gain on a prepared dataset, against the rules they must beat.

python -m model_image.training.ranker --data prepared/ [--cache DIR]
"""

import argparse
import sys
import time
from pathlib import Path

from model_image.base import add_base, find_base
from model_image.settings import ModelError
from model_image.training.dataset import EVENTS, JUDGMENTS, Dataset, DatasetError
from model_image.training.ranker.encoded import kept
from model_image.training.ranker.report import table
from model_image.training.ranker.validate import validate_purchases, validate_search

_EPILOG = """examples:
  python -m model_image.training.ranker --data prepared/
  python -m model_image.training.ranker --data prepared/ --cache /var/tmp/vectors     embed once, run often

The graded queries are cross-validated by the folds of the dataset, the purchases by five folds of users and by time:
the rankers learn nothing from a query, a user or a day that is measured. An encoder that was tuned on them (--base) has
learnt from them: its numbers are fair for none but the queries held out when it was tuned. On 2 cores: a second for 100
products to embed, then about 1 minute for 120 queries and 5 for 300,000 purchases.

exit codes: 0 done, 1 failed, 2 bad input"""


def main(argv: list[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m model_image.training.ranker",
        description="Cross-validate the learned rankers of a prepared dataset and print what they gain.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a folder that scripts/prepare wrote")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the vectors of texts here for the next run")
    add_base(parser)
    chosen = parser.parse_args(argv)
    try:
        dataset = Dataset(chosen.data)
        tasks = [
            validate
            for table_, validate in ((JUDGMENTS, validate_search), (EVENTS, validate_purchases))
            if dataset.has(table_)
        ]
        if not tasks:
            raise DatasetError(f"{chosen.data}: has neither {JUDGMENTS} nor {EVENTS}; prepare it with one of them")
        base = find_base(chosen.base, download=chosen.download)
        embed = kept(base, chosen.cache)
        for validate in tasks:
            start = time.monotonic()
            for part in validate(dataset, embed, _say):
                print("\n".join(table(part)))
            _say(f"took {time.monotonic() - start:.0f} s")
    except (DatasetError, ModelError) as error:
        _say(str(error))
        return 2
    except (OSError, ValueError) as error:
        _say(f"{chosen.data}: {error}")
        return 1
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
