"""How long previews take: of a deployed stack, and of a program that imports the same and declares nothing."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.console import step
from scripts.localcloud.engine.project import Project
from scripts.localcloud.engine.scratch import Scratch

PREVIEW = ("preview", "--expect-no-changes")
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


def measure(account: Scratch, stack: Project, runs: int) -> Pairs:
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


def _empty_program(account: Scratch, stack: Project) -> Path:
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
