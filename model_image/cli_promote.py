"""`scripts/promote`: make a published release stable, if its evaluation bears that out."""

import argparse
from collections.abc import Sequence

from model_image import cli_shared as cli
from model_image.channel import PROMOTE
from model_image.promotion import ALLOWANCE_MS, LATENCY_BUDGET
from model_image.registry import gated, open_registry

_DESCRIPTION = """\
Make a published release the stable one of its channel: every server takes it within seconds.

The gate asks for an evaluation that compares it with the release now stable: better, or equal within the interval, on
every guarded measure and segment, and within the latency budget. The first release of a channel needs none. --force
goes around the gate; the reason and what was overridden stay in the history.

The evaluation, with DATA as scripts/prepare wrote it and R the registry:
  scripts/releases get --registry R CANDIDATE candidate
  scripts/releases get --registry R STABLE stable
  scripts/evaluate --data DATA --release candidate --against stable --out E
  scripts/releases record --registry R CANDIDATE E/evaluation.json"""

_EXAMPLES = f"""\
examples:
  scripts/promote --registry s3://models sha256-4f0c21
  scripts/promote --registry ./registry sha256-4f0c21 --why "new catalogue"
  scripts/promote --registry ./registry sha256-4f0c21 --force --why "the stable one names a recalled product"
{cli.S3_HELP}exit codes: 0 done, 1 the gate refused, the registry failed or the channel was moved meanwhile, 2 bad input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; what was and what is goes to stdout."""
    arguments = _parser().parse_args(argv)
    return cli.run(lambda: _promote(arguments))


def _promote(arguments: argparse.Namespace) -> None:
    if arguments.force and not (arguments.why or "").strip():
        raise cli.InputError("--why: none, expected the reason to go around the gate; give it beside --force")
    if not 0 < arguments.latency_budget < 100:
        raise cli.InputError(f"--latency-budget: {arguments.latency_budget}, expected a factor such as 1.2")
    registry, model = open_registry(arguments.registry), arguments.model
    digest = cli.resolve(registry, model, arguments.digest)
    before = registry.channel(model)
    now = gated.promote(
        registry,
        model,
        digest,
        who=arguments.who,
        why=arguments.why or "promoted by scripts/promote",
        force=arguments.force,
        budget=arguments.latency_budget,
        seen=before,
    )
    back = "none, this is the channel's first release"
    if before.stable:
        back = cli.command("rollback", arguments, "--to", before.stable, "--why", "REASON")
    print(cli.told(before, now, back))
    # Somebody may have moved it again already: the last change need not be this one.
    ours = [each for each in now.history[len(before.history) :] if (each.release, each.action) == (digest, PROMOTE)]
    for reason in ours[0].forced if ours else ():
        cli.say(f"overridden: {reason}")


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser("promote", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("digest", help="the release, or the beginning of its digest")
    cli.add_place(parser)
    cli.add_reason(parser, why="")
    parser.add_argument("--force", action="store_true", help="go around the gate; needs --why")
    parser.add_argument(
        "--latency-budget",
        type=float,
        default=LATENCY_BUDGET,
        metavar="FACTOR",
        help=f"times the stable release's latency accepted, {ALLOWANCE_MS:g} ms more (default: {LATENCY_BUDGET})",
    )
    return parser
