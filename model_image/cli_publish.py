"""`scripts/publish`: from a catalogue file to a release in the registry, and to the servers with --promote."""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from model_image import artefact, catalogue, release_zero, sample
from model_image import cli_shared as cli
from model_image.base import Base, BaseError, add_base, find_base
from model_image.registry import Registry, gated, open_registry
from model_image.registry.publishing import missing
from model_image.revisions import inputs
from model_image.settings import ModelError
from model_image.tables import TableError

_DESCRIPTION = f"""\
Build release 0 (an encoder as it is and the index of a catalogue), publish it, and print its digest; or publish
a folder that is sealed already (--folder). A publishing that was killed goes on where it stopped.
What was published from the same inputs before is found in the registry and neither built nor uploaded again.
Takes about a minute for 5,000 products on two cores.

--promote makes it stable without an evaluation only where nothing that is stable has one: release 0 after release 0.
Everything else goes through the gate of scripts/promote.

{catalogue.__doc__}"""

_EXAMPLES = f"""\
examples:
  scripts/publish --registry ./registry --promote
  scripts/publish --catalogue products.parquet --registry s3://models --promote --why "first catalogue"
  scripts/publish --catalogue items.csv --base ./multilingual-e5-small --registry s3://models
  scripts/publish --catalogue items.csv --column product_id=stock_code --registry s3://models
  scripts/publish --folder ./release --registry s3://models
{cli.S3_HELP}\
exit codes: 0 done, 1 the gate refused, the registry, disk or model failed or somebody else promoted
meanwhile, 2 bad input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; the digest goes to stdout, progress to stderr."""
    arguments = _parser().parse_args(argv)
    return cli.run(lambda: _publish(arguments))


def _publish(arguments: argparse.Namespace) -> None:
    try:
        renamed = dict(_pair(text) for text in arguments.column)
        registry = open_registry(arguments.registry)
        if arguments.folder:
            digest = publish_folder(Path(arguments.folder), registry, model=arguments.model)
        else:
            base = find_base(arguments.base, download=arguments.download)
            digest = publish(Path(arguments.catalogue), registry, base, model=arguments.model, renamed=renamed)
    except (BaseError, TableError) as error:
        raise cli.InputError(str(error)) from error
    except ModelError as error:
        raise OSError(str(error)) from error
    if arguments.promote and arguments.keep_evaluated and (stable := gated.evaluated_stable(registry, arguments.model)):
        cli.say(f"{arguments.model}: stable stays {stable}, which was evaluated")
        digest = stable
    elif arguments.promote:
        gated.promote_published(registry, arguments.model, digest, who=arguments.who, why=arguments.why)
        cli.say(f"{arguments.model}: stable is {digest}")
    print(digest)


def publish_folder(folder: Path, registry: Registry, *, model: str) -> str:
    """Publish a sealed folder of `model`; returns the digest."""
    manifest = artefact.verify(folder)
    if manifest.model != model:
        raise cli.InputError(f"--model: {model!r}, expected {manifest.model!r} as {folder} is sealed; give that")
    cli.say(f"uploading {manifest.size / 1e6:.0f} MB to {registry}")

    def uploaded(path: str, done: int, total: int) -> None:
        cli.say(f"uploaded {done / 1e6:,.0f} of {total / 1e6:,.0f} MB, {path}")

    return registry.publish(folder, progress=uploaded)


def publish(path: Path, registry: Registry, base: Base, *, model: str, renamed: dict[str, str]) -> str:
    """Build and publish unless a release of the same inputs is there; returns the digest. Raises what `main` tells."""
    for _ in catalogue.read_catalogue(path, renamed=renamed):  # a bad row is told before the registry is asked
        pass
    wanted = inputs(path, base, renamed=renamed)
    going = registry.channel(model).collecting
    for manifest in registry.releases(model):
        if manifest.digest not in going and wanted.match(manifest) and not missing(registry.store, manifest):
            cli.say(f"{registry}: has the release of this catalogue already")
            return manifest.digest
    with tempfile.TemporaryDirectory(prefix="release-") as name:
        started = time.monotonic()

        def embedded(done: int, total: int) -> None:
            cli.say(f"embedded {done:,} of {total:,} products, {time.monotonic() - started:.0f} s")

        manifest = release_zero.build(
            path, Path(name), base, model=model, renamed=renamed, note=cli.say, progress=embedded
        )
        cli.say(f"uploading {manifest.size / 1e6:.0f} MB to {registry}")
        return registry.publish(Path(name))


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser("publish", _DESCRIPTION, _EXAMPLES)
    cli.add_place(parser)
    cli.add_reason(parser, why="published by scripts/publish")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--catalogue", default=sample.CATALOGUE, help="CSV or Parquet file (default: the sample)")
    what.add_argument("--folder", metavar="SEALED", help="publish this sealed folder instead of building one")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="the file calls our column OURS by the name THEIRS; may be repeated",
    )
    add_base(parser)
    parser.add_argument("--promote", action="store_true", help="make it stable: every server takes it within seconds")
    parser.add_argument(
        "--keep-evaluated",
        action="store_true",
        help="with --promote: a stable release that was evaluated stays, and its digest is printed",
    )
    return parser


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise TableError(Path("--column"), "", "OURS=THEIRS, for example product_id=stock_code", value=text)
    return ours, theirs
