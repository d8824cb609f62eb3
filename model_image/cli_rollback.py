"""`scripts/rollback`: make the release stable again that was so before."""

import argparse
from collections.abc import Sequence

from model_image import cli_shared as cli
from model_image.channel import Channel, ChannelError
from model_image.channel_rollback import way_back
from model_image.registry import Registry, open_registry
from model_image.registry.publishing import missing
from model_image.registry_errors import ReleaseNotFoundError

_DESCRIPTION = """\
Make the release stable again that was so before the one that is, and end a canary. A second rollback goes further back,
never forth again; scripts/promote does that, with --force --why where its gate has no evaluation that compares the two
(scripts/evaluate --against makes one, scripts/releases record keeps it). A rollback asks nothing about evaluations:
this is the way out of trouble.

For a canary that answers badly alone, `scripts/canary --end` is enough."""

_EXAMPLES = f"""\
examples:
  scripts/rollback --registry s3://models --why "no answers for Chinese queries"
  scripts/rollback --registry s3://models --to sha256-4f0c21 --why "the two after it are bad"
{cli.S3_HELP}\
exit codes: 0 done, 1 nothing to go back to, the registry failed or the channel was moved meanwhile,
2 bad input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; what was and what is goes to stdout."""
    arguments = _parser().parse_args(argv)
    return cli.run(lambda: _roll_back(arguments))


def _roll_back(arguments: argparse.Namespace) -> None:
    if not arguments.why.strip():
        raise cli.InputError("--why: empty, expected the reason; whoever looks at the history tomorrow wants it")
    registry, model = open_registry(arguments.registry), arguments.model
    before = registry.channel(model)
    digest = cli.resolve(registry, model, arguments.to) if arguments.to else _nearest(registry, before)
    now = registry.roll_back(model, digest, who=arguments.who, why=arguments.why, seen=before)
    forth = cli.command("promote", arguments, before.stable or "DIGEST")
    print(cli.told(before, now, f"{forth}\n  (where its gate refuses that: with --force --why REASON)"))


def _nearest(registry: Registry, channel: Channel) -> str:
    """The release stable before. Where it cannot be gone back to, the nearest one that can is only named: whoever goes
    back further than was asked for has to say so."""
    way = way_back(channel)
    if not way:
        raise ChannelError(
            f"{channel.model}: no release was stable before {channel.stable or 'now'}, expected one to go back to; "
            "promote another release, scripts/releases list shows them"
        )
    there = next((each for each in way if _is_there(registry, channel, each)), None)
    if there != way[0]:
        out = f"go further back with --to {there}" if there else "promote one that scripts/releases list shows"
        raise ReleaseNotFoundError(
            f"{channel.model}: {way[0]} was stable before, expected all of it in the registry, it is not; {out}"
        )
    return way[0]


def _is_there(registry: Registry, channel: Channel, digest: str) -> bool:
    try:
        whole = not missing(registry.store, registry.manifest(channel.model, digest))
    except ReleaseNotFoundError:
        return False
    return whole and digest not in channel.collecting


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser("rollback", _DESCRIPTION, _EXAMPLES)
    cli.add_place(parser)
    cli.add_reason(parser, why=None)
    parser.add_argument("--to", metavar="DIGEST", help="a release stable earlier (default: the one before)")
    return parser
