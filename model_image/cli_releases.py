"""`scripts/releases`: look at what the registry holds, add an evaluation, and remove what nobody needs any more."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec

from model_image import artefact, cli_releases_gc, evaluation
from model_image import cli_shared as cli
from model_image.registry import difference, open_registry, views

_DESCRIPTION = """\
Look at the releases of a registry, get one as a folder, record what was measured of one, and remove those that nobody
needs any more."""

_EXAMPLES = f"""\
examples:
  scripts/releases list --registry s3://models
  scripts/releases show --registry s3://models sha256-4f0c21
  scripts/releases diff --registry s3://models sha256-4f0c21 sha256-77ab90
  scripts/releases history --registry s3://models --json
  scripts/releases get --registry s3://models sha256-4f0c21 ./stable
  scripts/releases record --registry s3://models sha256-77ab90 ./evaluated/evaluation.json
  scripts/releases gc --registry s3://models             says what would go
  scripts/releases gc --registry s3://models --delete    removes it
{cli.S3_HELP}exit codes: 0 done, 1 the registry failed or refused, 2 bad input
"""


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


def _get(arguments: argparse.Namespace) -> None:
    registry, folder = open_registry(arguments.registry), arguments.folder
    digest = cli.resolve(registry, arguments.model, arguments.digest)
    if folder.exists():  # a download would replace it
        try:
            artefact.verify(folder, digest)
        except artefact.ArtefactError as error:
            rule = f"a new folder, or one that holds {digest}"
            raise cli.InputError(f"FOLDER: {error}, expected {rule}; name another one") from error
    manifest = registry.download(arguments.model, digest, folder)
    cli.say(f"{digest}, {manifest.size:,} bytes")
    print(folder)


def _record(arguments: argparse.Namespace) -> None:
    try:
        found = evaluation.decode(arguments.evaluation.read_bytes(), arguments.evaluation)
    except (evaluation.EvaluationError, OSError) as error:
        raise cli.InputError(
            f"EVALUATION: {error}, expected the evaluation.json that scripts/evaluate writes; name that"
        ) from error
    registry = open_registry(arguments.registry)
    digest = cli.resolve(registry, arguments.model, arguments.digest)
    print(registry.record_evaluation(arguments.model, digest, found))


def _print(arguments: argparse.Namespace, data: object, table: str, nothing: str) -> None:
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(data), indent=1).decode())
    elif data:
        print(table)
    else:
        cli.say(nothing)


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser("releases", _DESCRIPTION, _EXAMPLES)
    verbs = parser.add_subparsers(metavar="list | show | diff | history | get | record | gc", required=True)
    acts = {
        "list": (_list, "releases with size, place in the channel and main numbers", ()),
        "show": (_show, "manifest, evaluations and place of one release, as JSON", ("digest",)),
        "diff": (_diff, "what differs between two releases", ("first", "second")),
        "history": (_history, "who moved the channel, when and why", ()),
        "get": (_get, "put a release, verified, into a folder, as scripts/evaluate takes it", ("digest",)),
        "record": (_record, "keep an evaluation beside its release, for the gate of scripts/promote", ("digest",)),
        "gc": (cli_releases_gc.collect, "say what could be removed, and remove it with --delete", ()),
    }
    for name, (act, text, digests) in acts.items():
        formatter = argparse.RawDescriptionHelpFormatter
        told = cli_releases_gc.DESCRIPTION if name == "gc" else text
        verb = verbs.add_parser(name, help=text, description=told, formatter_class=formatter)
        verb.set_defaults(act=act)
        for digest in digests:
            verb.add_argument(digest, help="a release, or the beginning of its digest")
        cli.add_place(verb)
        if name in ("list", "diff", "history"):
            verb.add_argument("--json", action="store_true", help="JSON instead of a table")
    verbs.choices["record"].add_argument("evaluation", type=Path, help="evaluation.json as scripts/evaluate writes it")
    verbs.choices["get"].add_argument("folder", type=Path, help="the folder to make; a whole one that is there is kept")
    cli_releases_gc.add_options(verbs.choices["gc"])
    return parser
