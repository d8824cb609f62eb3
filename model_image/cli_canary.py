"""`scripts/canary`: let a release answer a part of the users beside the stable one, and end that."""

import argparse
from collections.abc import Sequence

from model_image import cli_shared as cli
from model_image.channel import MOST_PERCENT
from model_image.registry import open_registry

_DESCRIPTION = f"""\
Let a published release answer some of the users (1 to {MOST_PERCENT} percent) beside the stable one. A user belongs to
the canary or does not, on every site alike, and who does still does as the percent grows. --end ends it."""

_EXAMPLES = f"""\
examples:
  scripts/canary --registry s3://models sha256-4f0c21 --percent 10
  scripts/canary --registry s3://models --end --why "answers badly"
{cli.S3_HELP}exit codes: 0 done, 1 the registry failed, refused, or somebody else moved the channel, 2 bad input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; what was and what is goes to stdout."""
    arguments = _parser().parse_args(argv)
    return cli.run(lambda: _canary(arguments))


def _canary(arguments: argparse.Namespace) -> None:
    if arguments.end == bool(arguments.digest):
        raise cli.InputError("digest: expected a release with --percent, or --end alone")
    if not arguments.end and not 1 <= (arguments.percent or 0) <= MOST_PERCENT:
        raise cli.InputError(f"--percent: {arguments.percent}, expected 1 to {MOST_PERCENT}; scripts/promote takes all")
    registry, model = open_registry(arguments.registry), arguments.model
    digest = None if arguments.end else cli.resolve(registry, model, arguments.digest)
    before = registry.channel(model)
    why = arguments.why or "by scripts/canary"
    if digest is None:
        now = registry.end_canary(model, who=arguments.who, why=why, seen=before)
        ended = before.canary or "DIGEST"
        back = cli.command("canary", arguments, ended, "--percent", str(before.canary_percent))
    else:
        now = registry.canary(model, digest, arguments.percent, who=arguments.who, why=why, seen=before)
        back = cli.command("canary", arguments, "--end")
    print(cli.told(before, now, back))


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser("canary", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("digest", nargs="?", help="the release, or the beginning of its digest")
    cli.add_place(parser)
    cli.add_reason(parser, why="")
    parser.add_argument("--percent", type=int, metavar="N", help=f"of users that it answers, 1 to {MOST_PERCENT}")
    parser.add_argument("--end", action="store_true", help="the stable release answers everybody again")
    return parser
