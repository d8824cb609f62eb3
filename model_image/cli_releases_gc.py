"""`scripts/releases gc`: remove what nobody needs any more."""

import argparse

from model_image import cli_shared as cli
from model_image.channel_collecting import LAST
from model_image.registry import collecting, collection, open_registry, views

DESCRIPTION = f"""\
Say what could be removed, and with --delete remove it: releases and unfinished uploads untouched for --older-than days
that no channel names as stable or canary, nor among its last --last ways back, former stable releases or canaries.
Safe to kill and to repeat, and beside a promotion: one of the two gives way. Evaluations stay. --last should not be
below CACHE_ROLLBACKS of the registry caches ({LAST} is above its default).
In the bucket it needs the collector's role, also to look: old versions of objects are part of it."""


def add_options(to: argparse.ArgumentParser) -> None:
    """What only this verb knows."""
    either = to.add_mutually_exclusive_group()
    either.add_argument("--delete", action="store_true", help="remove it; without, nothing is removed")
    either.add_argument("--dry-run", action="store_true", help="the default; spelled out for scripts")
    to.add_argument("--last", type=int, default=LAST, metavar="N", help=f"ways back that are kept (default: {LAST})")
    days = collection.DAYS
    to.add_argument("--older-than", type=float, default=days, metavar="DAYS", help=f"age in days (default: {days:g})")


def collect(arguments: argparse.Namespace) -> None:
    """Say what would go, or remove it."""
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
