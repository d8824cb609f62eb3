"""`scripts/rollback`: make the release stable again that was so before."""

import argparse
from collections.abc import Sequence

from model_image import cli_shared as cli
from model_image.channel import ChannelError
from model_image.channel_rollback import way_back
from model_image.registry import open_registry

_DESCRIPTION = """\
Make the release stable again that was so before the one that is, and end a canary. A second rollback goes further back,
never forth again; scripts/promote does that. Nothing is asked about evaluations: this is the way out of trouble.

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
    way = way_back(before)
    if not way:
        raise ChannelError(
            f"{model}: no release was stable before {before.stable or 'now'}, expected one to go back to; "
            "promote another release, scripts/releases list shows them"
        )
    digest = cli.resolve(registry, model, arguments.to) if arguments.to else way[0]
    now = registry.roll_back(model, digest, who=arguments.who, why=arguments.why, seen=before)
    print(cli.told(before, now, cli.command("promote", arguments, before.stable or "DIGEST")))


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser("rollback", _DESCRIPTION, _EXAMPLES)
    cli.add_place(parser)
    cli.add_reason(parser, why=None)
    parser.add_argument("--to", metavar="DIGEST", help="a release stable earlier (default: the one before)")
    return parser
