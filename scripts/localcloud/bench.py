"""The verb ``bench``: measurements that a reader can repeat, each against what it is to be compared with."""

import argparse
import dataclasses
import json
import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.localcloud.console import BadInput, note, step

if TYPE_CHECKING:
    from scripts.localcloud.engine.project import Project
    from scripts.localcloud.engine.scratch import Scratch

EXAMPLES = """\
examples:
  scripts/bench preview                what the stack costs beyond the start of Python, the SDK and the engine
  scripts/bench preview --runs 15 --json
"""
PREVIEW = ("preview", "--expect-no-changes")
AIM = 1.5  # a preview of the whole stack, in times of the empty program's
_LISTER = """\
import runpy, sys, types
from pathlib import Path
runpy.run_path({program!r}, run_name="__main__")
# The SDK puts modules there that it loads at their first use.
loaded = [name for name, module in sys.modules.items() if type(module) is types.ModuleType]
Path({into!r}).write_text("\\n".join(n for n in loaded if n.startswith(("pulumi", "infra", "stacks"))))
"""
_EMPTY = """\
from importlib import import_module
for name in {names!r}:
    import_module(name)
"""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Wall times in seconds, measured in turns: the i-th of one beside the i-th of the other."""

    empty: list[float]
    stack: list[float]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: what disturbs the machine for a while disturbs both of a pair."""
        return statistics.median(s / e for s, e in zip(self.stack, self.empty, strict=True))


def main() -> int:
    options = _parser().parse_args()
    if options.runs < 1:
        raise BadInput(f"--runs {options.runs}: 1 or more are needed")
    pairs, resources = preview(options.runs)
    if options.json:
        note(json.dumps({**dataclasses.asdict(pairs), "ratio": pairs.ratio, "machine": machine()}, indent=2))
    else:
        note(show(pairs, resources))
    return 0


def preview(runs: int) -> tuple[Pairs, int]:
    """`pulumi preview` of the deployed stack `prod-aws` and of the empty program, and the stack's resources."""
    # Help must not wait for boto3.
    from scripts.localcloud.engine.example import example_stack
    from scripts.localcloud.engine.scratch import scratch

    with tempfile.TemporaryDirectory(prefix="hybrid-serving-bench-") as folder, scratch(Path(folder)) as account:
        stack = example_stack(account)
        with step("pulumi up of the example, in an account of its own", "3 minutes"):
            stack.up()
        return measure(account, stack, runs), len(stack.resources())


def measure(account: "Scratch", stack: "Project", runs: int) -> Pairs:
    """Previews of the deployed `stack` and of a program that imports what it imports, in turns.

    Raises EngineError when a preview of the stack plans a change: another thing would be measured then.
    """
    empty = account.project(_empty_program(account, stack), "empty")
    for project in (empty, stack):
        project.up()  # fills caches, and makes the empty stack one
    times: dict[str, list[float]] = {empty.stack: [], stack.stack: []}
    with step(f"{runs} previews of each, in turns", f"{12 * runs} s"):
        for turn in range(runs):
            for project in (empty, stack) if turn % 2 else (stack, empty):
                began = time.monotonic()
                project.run(*PREVIEW, "--stack", project.stack)
                times[project.stack].append(time.monotonic() - began)
    return Pairs(empty=times[empty.stack], stack=times[stack.stack])


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


def show(pairs: Pairs, resources: int) -> str:
    """The result as text."""
    rows = [
        f"  {name:<24} median {statistics.median(times):6.2f} s, {min(times):.2f} to {max(times):.2f} s"
        for name, times in ((f"stack, {resources} resources", pairs.stack), ("empty, same imports", pairs.empty))
    ]
    verdict = f"  {pairs.ratio:.2f} times the empty program (aim: at most {AIM})"
    about = ", ".join(f"{name} {value}" for name, value in machine().items())
    return "\n".join([f"pulumi preview, {len(pairs.stack)} runs each, in turns", *rows, verdict, f"  on {about}"])


def _empty_program(account: "Scratch", stack: "Project") -> Path:
    """A program that imports every module that `stack`'s imports, and declares nothing."""
    listed, folder = account.folder / "modules", account.folder / "programs"
    program = stack.folder / stack.declared.get("main", ".") / "__main__.py"
    main = _LISTER.format(program=str(program), into=str(listed))
    # The same project and stack, so the same state and config; only the program notes its modules at its end.
    lister = _program(folder / "lister", stack.declared["name"], main)
    stack.run("preview", "--stack", stack.stack, "--cwd", str(lister), "--config-file", str(stack.config_file))
    return _program(folder / "empty", "empty", _EMPTY.format(names=listed.read_text().split()))


def _program(folder: Path, project: str, main: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
    (folder / "__main__.py").write_text(main)
    return folder


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
    return parser
