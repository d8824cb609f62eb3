"""`scripts/prepare`: from a shop's tables to the folder that training and evaluation read."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from model_image.training.cli_prepare_parser import TABLES, parser
from model_image.training.data.errors import InputError, RunError

if TYPE_CHECKING:
    from model_image.training.data.settings import Settings
    from model_image.training.dataset import Prepared

_PLAIN = ("target", "action", "purchase", "unseen_percent", "hold_fold", "most_refused", "seed", "negatives", "pairs",
          "model", "memory")  # fmt: skip
_OF_MERGE = ("target", "model", "memory")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; the revision goes to stdout, progress to stderr."""
    words = parser()
    arguments = words.parse_args(argv)
    if arguments.target is None and arguments.new_key is None:
        words.error("--target is required, unless --new-key is given")
    try:
        if arguments.new_key is not None:
            _new_key(arguments)
            return 0
        prepared = _merge(arguments) if arguments.merge else _prepare(arguments)
    except InputError as error:
        _say(f"error: {error}")
        return 2
    except RunError as error:
        _say(f"error: {error}")
        return 1
    print(prepared.revision)
    return 0


def _new_key(arguments: argparse.Namespace) -> None:
    _refuse_others(arguments, ("new_key",), "is given with --new-key, which does nothing else; leave one of them out")
    from model_image.training.data.pseudonyms import new_key

    new_key(arguments.new_key)
    _say(f"{arguments.new_key}: a new key; whoever has it can tell users by their ids")


def _prepare(arguments: argparse.Namespace) -> "Prepared":
    from model_image.training.data.prepare import prepare
    from model_image.training.data.pseudonyms import read_key
    from model_image.training.data.shard_again import find_again

    pseudonyms = read_key(arguments.key_file) if arguments.key_file is not None else None
    settings = _settings(arguments)
    if arguments.shard is not None:
        there = find_again(settings, pseudonyms, same_now=arguments.now is not None)
        if there is not None:
            _say(f"{settings.target}: this shard as it is asked for, there already; nothing to do")
            return there
    return prepare(settings, pseudonyms, _say)


def _merge(arguments: argparse.Namespace) -> "Prepared":
    told = "is given with --merge, which has it from the shards; leave it out"
    _refuse_others(arguments, ("merge", *_OF_MERGE), told)
    from model_image.training.data.merge import merge

    return merge(arguments.merge, note=_say, **_given(arguments, _OF_MERGE))


def _refuse_others(arguments: argparse.Namespace, names: Sequence[str], told: str) -> None:
    for name, value in vars(arguments).items():
        if value not in (None, []) and name not in names:
            shown = " ".join(map(str, value)) if name == "merge" else value
            raise InputError(f"--{name.replace('_', '-')}: {shown} {told}")


def _settings(arguments: argparse.Namespace) -> "Settings":
    from model_image.training.data.settings import Settings, utc

    return Settings(
        inputs={
            table: getattr(arguments, name) for name, table in TABLES.items() if getattr(arguments, name) is not None
        },
        columns=columns(arguments.column),
        now=utc(arguments.now) if arguments.now is not None else datetime.now(UTC).replace(tzinfo=None),
        cut=utc(arguments.cut) if arguments.cut is not None else None,
        shard=_shard("0/1" if arguments.shard is None else arguments.shard),
        **_given(arguments, _PLAIN),
    )


def _given(arguments: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def columns(given: Sequence[str]) -> dict[str, dict[str, str]]:
    """Table to {our column: theirs} of "TABLE.OURS=THEIRS" words. Raises `InputError`."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for text in given:
        ours, _, theirs = text.partition("=")
        table, _, column = ours.partition(".")
        if not (table and column and theirs):
            raise InputError(f"--column: {text!r}, expected TABLE.OURS=THEIRS such as events.product_id=stock_code")
        found[TABLES.get(table, table)][column] = theirs
    return dict(found)


def _shard(text: str) -> tuple[int, int]:
    index, _, of = text.partition("/")
    if not (index.isdecimal() and of.isdecimal()):
        raise InputError(f"--shard: {text!r}, expected I/N such as 0/4")
    return int(index), int(of)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
