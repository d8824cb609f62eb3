"""The verb ``bench``: measurements that a reader can repeat, each against what it is to be compared with."""

import argparse
import dataclasses
import json
import os
import platform
import statistics
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.localcloud.console import BadInput, note, step
from scripts.localcloud.serving_bench import command

if TYPE_CHECKING:
    from scripts.localcloud.engine.preview_times import Pairs

EXAMPLES = """\
examples:
  scripts/bench preview                what the stack costs beyond the start of Python, the SDK and the engine
  scripts/bench preview --runs 15 --json
  scripts/bench serving --data ../shared/data      our server beside its peers
  scripts/bench serving --peers infinity --runs 5
"""
AIM = 1.5  # a preview of the whole stack, in times of the empty program's


def main() -> int:
    options = _parser().parse_args()
    return int(options.measure(options))


def _preview(options: argparse.Namespace) -> int:
    if options.runs < 1:
        raise BadInput(f"--runs {options.runs}: 1 or more are needed")
    pairs, resources = preview(options.runs)
    if options.json:
        note(json.dumps({**dataclasses.asdict(pairs), "ratio": pairs.ratio, "machine": machine()}, indent=2))
    else:
        note(show(pairs, resources))
    return 0


def preview(runs: int) -> tuple["Pairs", int]:
    """`pulumi preview` of the deployed stack `prod-aws` and of the empty program, and the stack's resources."""
    # Help must not wait for boto3.
    from scripts.localcloud.engine.example import example_stack
    from scripts.localcloud.engine.preview_times import measure
    from scripts.localcloud.engine.scratch import scratch

    with tempfile.TemporaryDirectory(prefix="hybrid-serving-bench-") as folder, scratch(Path(folder)) as account:
        stack = example_stack(account)
        with step("pulumi up of the example, in an account of its own", "3 minutes"):
            stack.up()
        return measure(account, stack, runs), len(stack.resources())


def machine() -> dict[str, str]:
    """What a time is true for: processor, cores, and the versions that take part."""
    info = Path("/proc/cpuinfo").read_text()
    name = next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")), "")
    return {
        "processor": name or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "python": platform.python_version(),
        **{package: version(package) for package in ("pulumi", "pulumi-aws")},
    }


def show(pairs: "Pairs", resources: int) -> str:
    """The result as text."""
    rows = [
        f"  {name:<24} median {statistics.median(times):6.2f} s, {min(times):.2f} to {max(times):.2f} s"
        for name, times in ((f"stack, {resources} resources", pairs.stack), ("empty, same imports", pairs.empty))
    ]
    verdict = f"  {pairs.ratio:.2f} times the empty program (aim: at most {AIM})"
    about = ", ".join(f"{name} {value}" for name, value in machine().items())
    return "\n".join([f"pulumi preview, {len(pairs.stack)} runs each, in turns", *rows, verdict, f"  on {about}"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="what")
    previews = commands.add_parser(
        "preview",
        help="wall time of a preview, against an empty program",
        description="Deploy the production example into a scratch account (patched moto, no root), then time `pulumi "
        "preview` of it and of an empty program that imports the same modules. About 5 minutes.",
    )
    previews.add_argument("--runs", type=int, default=7, metavar="N", help="previews of each (default: 7)")
    previews.add_argument("--json", action="store_true", help="print one JSON document")
    previews.set_defaults(measure=_preview)
    serving = commands.add_parser(
        "serving",
        help="the server beside sentence-transformers, infinity and OpenVINO",
        description=command.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_options(serving)
    serving.set_defaults(measure=command.run)
    return parser
