"""`scripts/releases`: look at what the registry holds, and remove what nobody needs any more."""

import argparse
from collections.abc import Sequence

import msgspec

from model_image import cli_shared as cli
from model_image.channel_collecting import LAST
from model_image.registry import collecting, collection, difference, open_registry, views

_DESCRIPTION = "Look at the releases of a registry, and remove those that nobody needs any more."

_EXAMPLES = f"""\
examples:
  scripts/releases list --registry s3://models
  scripts/releases show --registry s3://models sha256-4f0c21
  scripts/releases diff --registry s3://models sha256-4f0c21 sha256-77ab90
  scripts/releases history --registry s3://models --json
  scripts/releases gc --registry s3://models             says what would go
  scripts/releases gc --registry s3://models --delete    removes it
{cli.S3_HELP}exit codes: 0 done, 1 the registry failed or refused, 2 bad input
"""

_GC = f"""\
Say what could be removed, and with --delete remove it: releases and unfinished uploads untouched for --older-than days
that no channel names as stable or canary, nor among its last --last former stable releases or canaries. Safe to kill
and to repeat, and beside a promotion: one of the two gives way. Evaluations stay. --last should not be below
CACHE_ROLLBACKS of the registry caches ({LAST} is above its default).
In the bucket it needs the collector's role, also to look: old versions of objects are part of it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; tables and JSON go to stdout."""
    arguments = _parser().parse_args(argv)
    return cli.run(lambda: arguments.act(arguments))


def _list(arguments: argparse.Namespace) -> None:
    rows = views.releases(open_registry(arguments.registry), arguments.model)
    _print(arguments, rows, views.releases_table(rows), f"{arguments.model}: no release; scripts/publish makes one")


def _show(arguments: argparse.Namespace) -> None:
    registry = open_registry(arguments.registry)
    view = views.release(registry, arguments.model, cli.resolve(registry, arguments.model, arguments.digest))
    print(msgspec.json.format(msgspec.json.encode(view), indent=1).decode())


def _diff(arguments: argparse.Namespace) -> None:
    registry, model = open_registry(arguments.registry), arguments.model
    first, second = (cli.resolve(registry, model, text) for text in (arguments.first, arguments.second))
    lines = difference.difference(registry, model, first, second)
    table = views.table(["", views.short(first), views.short(second)], [list(line) for line in lines])
    _print(arguments, [line._asdict() for line in lines], table, "no difference")


def _history(arguments: argparse.Namespace) -> None:
    changes = open_registry(arguments.registry).channel(arguments.model).history
    _print(arguments, changes, views.history_table(changes), f"{arguments.model}: nothing was ever promoted")


def _gc(arguments: argparse.Namespace) -> None:
    if arguments.last < 0 or not 0 <= arguments.older_than < 36_500:
        raise cli.InputError(
            f"--last, --older-than: {arguments.last}, {arguments.older_than}, expected 0 or more, and days below 36500"
        )
    store = open_registry(arguments.registry).store
    plan = collection.plan(store, arguments.model, last=arguments.last, days=arguments.older_than)
    print(views.plan_table(plan))
    going = [each for each in plan.candidates if not each.stays]
    size = sum(each.size for each in going) + sum(each.size for each in plan.leftovers)
    text = f"{len(going)} releases and {len(plan.leftovers)} leftovers, {size:,} bytes"
    if not arguments.delete:
        print(f"would remove {text}; nothing was removed, --delete does it")
        return
    cli.say(f"removing {text}")
    print(f"removed {collecting.collect(store, plan, cli.say):,} bytes")


def _print(arguments: argparse.Namespace, data: object, table: str, nothing: str) -> None:
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(data), indent=1).decode())
    elif data:
        print(table)
    else:
        cli.say(nothing)


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser("releases", _DESCRIPTION, _EXAMPLES)
    verbs = parser.add_subparsers(metavar="list | show | diff | history | gc", required=True)
    acts = {
        "list": (_list, "releases with size, place in the channel and main numbers", ()),
        "show": (_show, "manifest, evaluations and place of one release, as JSON", ("digest",)),
        "diff": (_diff, "what differs between two releases", ("first", "second")),
        "history": (_history, "who moved the channel, when and why", ()),
        "gc": (_gc, "say what could be removed, and remove it with --delete", ()),
    }
    for name, (act, text, digests) in acts.items():
        formatter = argparse.RawDescriptionHelpFormatter
        verb = verbs.add_parser(name, help=text, description=_GC if name == "gc" else text, formatter_class=formatter)
        verb.set_defaults(act=act)
        for digest in digests:
            verb.add_argument(digest, help="a release, or the beginning of its digest")
        cli.add_place(verb)
        if name in ("list", "diff", "history"):
            verb.add_argument("--json", action="store_true", help="JSON instead of a table")
    gc = verbs.choices["gc"]
    gc.add_argument("--delete", action="store_true", help="remove it; without, nothing is removed")
    gc.add_argument("--dry-run", action="store_true", help="the default; spelled out for scripts")
    gc.add_argument("--last", type=int, default=LAST, metavar="N", help=f"ways back that are kept (default: {LAST})")
    days = collection.DAYS
    gc.add_argument("--older-than", type=float, default=days, metavar="DAYS", help=f"age in days (default: {days:g})")
    return parser
