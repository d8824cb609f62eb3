"""`scripts/prepare`: from a shop's tables to the folder that training and evaluation read."""

import argparse
import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from model_image.training.data.errors import InputError, RunError

if TYPE_CHECKING:
    from model_image.training.data.settings import Settings

_DESCRIPTION = """\
Check a shop's tables, put bad rows aside under the rule they break, name users by a keyed hash, take mail addresses,
phone and card numbers out of what customers typed, split by time, user and query, and write examples to learn from.
Prints the revision of the prepared folder. About 200,000 events per second; tables may be larger than memory.

Tables (CSV in UTF-8 with a header, also .csv.gz, or Parquet; each a file, a folder of shards or a pattern):
  --catalogue  product_id, title; optional brand, color, category, description, bullet_points, price,
               tags (a list, in CSV divided by '|')
  --events     user_id, product_id, time (ISO 8601, UTC where no zone is given, or seconds, milli- or microseconds
               since 1970); optional action, quantity, price
  --queries    query_id, query                     --judgments  query_id, product_id, grade (0 to 3)
  --classify   text, label                         --regress    text, value
Rows without a user and rows with a quantity of 0 or less (returns) are put aside and never count as faults.
"""

_EXAMPLES = """\
examples:
  scripts/prepare --new-key users.key
  scripts/prepare --catalogue items.parquet --events 'events/*.parquet' --key-file users.key --target prepared
  scripts/prepare --catalogue items.csv --queries q.csv --judgments j.csv --hold-fold 0 --target prepared-0 \\
      --column products.product_id=stock_code --column judgments.product_id=stock_code
More than one machine: the same command with --shard I/N and --cut on each (in an Indexed Job, I is
$JOB_COMPLETION_INDEX and N its completions), every one with its own --target. A shard has the events of 1/N of the
users and all other tables; examples made of queries, and those given, are in shard 0 alone. Popularity
and weights are those of the shard's own users.
exit codes: 0 done, 1 the disk, the memory or another run on the same target, 2 bad input; no folder after 1 and 2
"""

_TABLES = {"catalogue": "products", "events": "events", "queries": "queries", "judgments": "judgments"} | {
    "classify": "classify",
    "regress": "regress",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; the revision goes to stdout, progress to stderr."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    from model_image.training.data.prepare import prepare
    from model_image.training.data.pseudonyms import new_key, read_key

    try:
        if arguments.new_key:
            new_key(arguments.new_key)
            _say(f"{arguments.new_key}: a new key; whoever has it can tell users by their ids")
            return 0
        if not arguments.target:
            parser.error("--target is required, unless --new-key is given")
        pseudonyms = read_key(arguments.key_file) if arguments.key_file else None
        prepared = prepare(_settings(arguments), pseudonyms, _say)
    except InputError as error:
        _say(f"error: {error}")
        return 2
    except RunError as error:
        _say(f"error: {error}")
        return 1
    print(prepared.revision)
    return 0


def _settings(arguments: argparse.Namespace) -> "Settings":
    from model_image.training.data.settings import Settings, utc

    plain = ("target", "action", "purchase", "unseen_percent", "hold_fold", "most_refused", "seed", "negatives")
    return Settings(
        inputs={table: getattr(arguments, name) for name, table in _TABLES.items() if getattr(arguments, name)},
        columns=columns(arguments.column),
        now=utc(arguments.now) if arguments.now else datetime.now(UTC).replace(tzinfo=None),
        cut=utc(arguments.cut) if arguments.cut else None,
        shard=_shard(arguments.shard),
        pairs=arguments.pairs,
        model=arguments.model,
        memory=arguments.memory,
        **{name: getattr(arguments, name) for name in plain},
    )


def columns(given: Sequence[str]) -> dict[str, dict[str, str]]:
    """Table to {our column: theirs} of "TABLE.OURS=THEIRS" words. Raises `InputError`."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for text in given:
        ours, _, theirs = text.partition("=")
        table, _, column = ours.partition(".")
        if not (table and column and theirs):
            raise InputError(f"--column: {text!r}, expected TABLE.OURS=THEIRS such as events.product_id=stock_code")
        found[_TABLES.get(table, table)][column] = theirs
    return dict(found)


def _shard(text: str) -> tuple[int, int]:
    index, _, of = text.partition("/")
    if not (index.isdecimal() and of.isdecimal()):
        raise InputError(f"--shard: {text!r}, expected I/N such as 0/4")
    return int(index), int(of)


def _parser() -> argparse.ArgumentParser:
    width = max(80, shutil.get_terminal_size().columns)
    parser = argparse.ArgumentParser(
        prog="scripts/prepare",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=width),
    )
    add = parser.add_argument
    add("--target", type=Path, help="new folder to make")
    for name in _TABLES:
        add(f"--{name}", metavar="FILES")
    add("--column", action="append", default=[], metavar="TABLE.OURS=THEIRS", help="their name of a column; repeatable")
    add("--key-file", type=Path, metavar="FILE", help="key that names users, 32 bytes or more, closed to others")
    add("--new-key", type=Path, metavar="FILE", help="write a new key of mode 0600, and do nothing else")
    add("--action", default="purchase", help="of events without one (default: purchase)")
    add("--purchase", default="purchase", metavar="ACTION", help="the action that makes a basket (default: purchase)")
    add(
        "--cut",
        metavar="TIME",
        help="end of what is learnt from (default: a midnight that about 80 %% of the events are before)",
    )
    add("--unseen-percent", type=int, default=20, metavar="P", help="users kept out of all examples (default: 20)")
    add("--hold-fold", type=int, metavar="N", help="fold of queries, 0 to 4, kept out of all examples (default: none)")
    add("--most-refused", type=float, default=5.0, metavar="P", help="fail above this share of a table (default: 5 %%)")
    add("--negatives", type=int, default=4, metavar="N", help="for each positive of retrieve (default: 4)")
    add("--pairs", type=int, default=50, metavar="N", help="next-basket pairs of one user at most (default: 50)")
    add("--model", type=Path, metavar="FOLDER", help="encoder folder: its near misses become negatives too")
    add("--seed", type=int, default=0, help="of draws and of the part that validates (default: 0)")
    add("--shard", default="0/1", metavar="I/N", help="only the users whose hash is I modulo N (default: all)")
    add("--now", metavar="TIME", help="what later events are refused by, plus a day (default: the clock)")
    add("--memory", default="2GB", metavar="SIZE", help="of tables before they spill to the disk (default: 2GB)")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
