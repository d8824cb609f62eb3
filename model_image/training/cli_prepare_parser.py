"""The words of `scripts/prepare`: what is not given is None or an empty list, and `data.settings` has the default."""

import argparse
from pathlib import Path

from model_image.cli_parser import parser as verb_parser

TABLES = {"catalogue": "products"} | {name: name for name in ("events", "queries", "judgments", "classify", "regress")}
"""Option, or name of a file or folder, to table of `training.data`."""

_DESCRIPTION = """\
Check a shop's tables, put bad rows aside under the rule they break, name users by a keyed hash, take mail addresses,
phone and card numbers out of what customers typed, split by time, user and query, and write examples to learn from.
Prints the revision of the prepared folder. About 200,000 events and 20,000 examples of retrieve per second; tables may
be larger than memory.

Tables (CSV in UTF-8 with a header, also .csv.gz, or Parquet; each a file, a folder of files or a pattern):
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

More than one machine: the same command on each with --shard I/N and a --target of its own, then --merge where all are.
In an Indexed Job of 4 completions, with a volume that all pods have, each pod and after the Job one more:
  mkdir -p shards
  scripts/prepare --catalogue items.parquet --events events --key-file users.key --hold-fold 0 --now 2026-08-01 \\
      --shard "$JOB_COMPLETION_INDEX/4" --target "shards/$JOB_COMPLETION_INDEX"
  scripts/prepare --merge shards/* --target prepared
A shard has checked 1/N of the events (shard 0 the other tables too), and nothing is learnt from it or measured on it.
A pod that runs again where its shard is whole, made of all the same, prints its revision and ends with 0. The merge
makes cut, popularity, negatives and examples of all, with the settings that the shards were given: byte for byte what
one machine would have written, if all shards had the same --now; otherwise it warns.
It refuses shards that are missing, damaged, or of other tables, settings, key or code. --model is for the merge alone.
It takes in about 300,000 events per second; the examples then take as long as on a single machine.

exit codes: 0 done, 1 the disk, the memory or another run on the same target, 2 bad input; no folder after 1 and 2
"""


def parser() -> argparse.ArgumentParser:
    """Loads no engine."""
    found = verb_parser("prepare", _DESCRIPTION, _EXAMPLES)
    add = found.add_argument
    add("--target", type=_path, help="new folder to make")
    for name in TABLES:
        add(f"--{name}", metavar="FILES", type=_text)
    add(
        "--column",
        action="append",
        default=[],
        metavar="TABLE.OURS=THEIRS",
        type=_text,
        help="their name of a column; repeatable",
    )
    add("--key-file", type=_path, metavar="FILE", help="key that names users, 32 bytes or more, closed to others")
    add("--new-key", type=_path, metavar="FILE", help="write a new key of mode 0600, and do nothing else")
    add("--action", type=_text, help="of events without one (default: purchase)")
    add("--purchase", metavar="ACTION", type=_text, help="the action that makes a basket (default: purchase)")
    add(
        "--cut",
        metavar="TIME",
        type=_text,
        help="end of what is learnt from (default: a midnight that about 80 %% of the events are before)",
    )
    add("--unseen-percent", type=int, metavar="P", help="users kept out of all examples (default: 20)")
    add("--hold-fold", type=int, metavar="N", help="fold of queries, 0 to 4, kept out of all examples (default: none)")
    add("--most-refused", type=float, metavar="P", help="fail above this share of a table (default: 5 %%)")
    add("--negatives", type=int, metavar="N", help="for each positive of retrieve (default: 4)")
    add("--pairs", type=int, metavar="N", help="next-basket pairs of one user at most (default: 50)")
    add("--model", type=_path, metavar="FOLDER", help="encoder folder: its near misses become negatives too")
    add("--seed", type=int, help="of draws and of the part that validates (default: 0)")
    add(
        "--shard",
        metavar="I/N",
        type=_text,
        help="check only the events in rows numbered I modulo N, for --merge (default: all)",
    )
    add(
        "--merge",
        nargs="+",
        type=_path,
        metavar="FOLDER",
        help="put the N shards of a run together; takes --target, --model and --memory, all else from the shards",
    )
    add("--now", metavar="TIME", type=_text, help="what later events are refused by, plus a day (default: the clock)")
    add("--memory", metavar="SIZE", type=_text, help="of tables before they spill to the disk (default: 2GB)")
    return found


def _text(given: str) -> str:
    if not given.strip():
        raise argparse.ArgumentTypeError(f"{given!r}, expected a value; set the variable it came of, or leave it out")
    return given


def _path(given: str) -> Path:
    return Path(_text(given))
