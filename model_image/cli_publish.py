"""`scripts/publish`: from a catalogue file to a release in the registry, and to the servers with --promote."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from model_image import catalogue, release_zero, sample
from model_image.artefact import ArtefactError
from model_image.channel import ChannelError
from model_image.registry import Registry, open_registry
from model_image.registry_errors import RegistryError
from model_image.settings import ModelError
from model_image.stores import StoreError
from model_image.tables import TableError

_DESCRIPTION = f"""\
Build release 0 (the packaged MiniLM encoder and the index of a catalogue), publish it, and print its digest.
What was published from the same inputs before is found in the registry and neither built nor uploaded again.
Takes about a minute for 5,000 products on two cores.

{catalogue.__doc__}"""

_EXAMPLES = """\
examples:
  scripts/publish --registry ./registry --promote
  scripts/publish --catalogue products.parquet --registry s3://models --promote --why "first catalogue"
  scripts/publish --catalogue items.csv --column product_id=stock_code --registry s3://models
S3 is reached with the AWS SDK's own variables (AWS_REGION, AWS_ENDPOINT_URL, AWS_PROFILE, ...).
exit codes: 0 done, 1 the registry, the disk or the model failed or somebody else promoted meanwhile, 2 bad input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; the digest goes to stdout, progress to stderr."""
    arguments = _parser().parse_args(argv)
    try:
        renamed = dict(_pair(text) for text in arguments.column)
        registry = open_registry(arguments.registry)
        digest = publish(Path(arguments.catalogue), registry, model=arguments.model, renamed=renamed)
        if arguments.promote:
            registry.promote(arguments.model, digest, who=arguments.who, why=arguments.why)
            _say(f"{arguments.model}: stable is {digest}")
    except TableError as error:
        _say(f"error: {error}")
        return 2
    except (ArtefactError, ChannelError, ModelError, RegistryError, StoreError, OSError) as error:
        _say(f"error: {error}")
        return 1
    print(digest)
    return 0


def publish(path: Path, registry: Registry, *, model: str, renamed: dict[str, str]) -> str:
    """Build and publish unless a release of the same inputs is there; returns the digest. Raises what `main` tells."""
    for _ in catalogue.read_catalogue(path, renamed=renamed):  # a bad row is told before the registry is asked
        pass
    wanted = release_zero.inputs(path, renamed=renamed)
    for manifest in registry.releases(model):
        if wanted.match(manifest):
            _say(f"{registry}: has the release of this catalogue already")
            return manifest.digest
    with tempfile.TemporaryDirectory(prefix="release-") as name:
        started = time.monotonic()

        def embedded(done: int, total: int) -> None:
            _say(f"embedded {done:,} of {total:,} products, {time.monotonic() - started:.0f} s")

        manifest = release_zero.build(path, Path(name), model=model, renamed=renamed, note=_say, progress=embedded)
        _say(f"uploading {manifest.size / 1e6:.0f} MB to {registry}")
        return registry.publish(Path(name))


def _parser() -> argparse.ArgumentParser:
    width = max(80, shutil.get_terminal_size().columns)
    parser = argparse.ArgumentParser(
        prog="scripts/publish",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=width),
    )
    parser.add_argument("--registry", required=True, help="s3://<bucket> or an existing folder")
    parser.add_argument("--catalogue", default=sample.CATALOGUE, help="CSV or Parquet file (default: the sample)")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="the file calls our column OURS by the name THEIRS; may be repeated",
    )
    parser.add_argument("--model", default="search", help="name of the channel (default: search)")
    parser.add_argument("--promote", action="store_true", help="make it stable: every server takes it within seconds")
    parser.add_argument(
        "--who",
        default=os.environ.get("USER", f"uid {os.getuid()}"),
        help="for the channel's history (default: your user name)",
    )
    parser.add_argument("--why", default="published by scripts/publish", help="for the channel's history")
    return parser


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise TableError(Path("--column"), "", "OURS=THEIRS, for example product_id=stock_code", value=text)
    return ours, theirs


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
