"""The verb ``test``: style, types and every tier of tests, with the set-up they need and the clean-up after them."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from scripts.localcloud.cloud import LocalCloud, checkout_root
from scripts.localcloud.console import BadInput, note

DESCRIPTION = """\
Check style and types, run the unit tier, start the local cloud with scripts/up, run the other tiers against it
(network, cloud, kubernetes, e2e), and remove it with scripts/down, also after a failure.
About 57 minutes; 90 on a machine that has nothing in its cache.
"""
EXAMPLES = """\
examples:
  scripts/test --unit                  style, types and the unit tier: ten minutes, no root, no network
  scripts/test --data ../data          also the tests on real shop data
  scripts/test --cold                  with empty caches, as on a bare machine
exit codes: 0 all passed, 1 a check or test failed, 2 bad input
"""
HIGHER_TIERS = "network or cloud or kubernetes or e2e"


def main() -> int:
    options = _parser().parse_args()
    python = sys.executable
    data = [f"--data={options.data.resolve()}"] if options.data else []  # one word, or pytest takes it for a test
    if options.data and not options.data.is_dir():
        raise BadInput(f"--data {options.data}: an existing folder is needed")
    if not options.unit and os.geteuid():
        raise BadInput("the higher tiers need root: run it with sudo, or only the unit tier with --unit")
    _run("style", [python, "-m", "ruff", "check", "-q", "."])
    _run("format", [python, "-m", "ruff", "format", "-q", "--check", "."])
    _run("types", [python, "-m", "mypy"])
    strict = ["--no-skips"] if options.ci else []
    held = LocalCloud.held(checkout_root())
    if held and not (options.unit or options.ci or options.keep):
        raise BadInput(
            f"local cloud {held.number} of this checkout is up, and the tests would destroy its stacks: scripts/down "
            "first, or --keep to test on it and leave out what destroys"
        )
    _run("unit tier", [python, "-m", "pytest", *strict, *data])
    if options.unit:
        return 0
    with _cold() if options.cold else nullcontext(), _local_cloud(keep=options.keep):
        tiers = f"({HIGHER_TIERS}) and not destroys" if options.keep else HIGHER_TIERS
        _run("higher tiers", [python, "-m", "pytest", "-m", tiers, *strict, *data])
    return 0


@contextmanager
def _local_cloud(*, keep: bool) -> Iterator[None]:
    try:
        _run("scripts/up", ["scripts/up"])
        yield
    except SystemExit:
        _keep_logs()
        raise
    finally:
        if keep:
            note("the local cloud stays up: scripts/down removes it")
        else:
            _run("scripts/down", ["scripts/down"])


def _keep_logs() -> None:
    """A failure is looked into after the clean-up."""
    if held := LocalCloud.held(checkout_root()):
        kept = checkout_root() / "failed-logs"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(held.logs, kept)
        note(f"the logs of the local cloud are kept in {kept}")


@contextmanager
def _cold() -> Iterator[None]:
    """Empty caches, and nothing on PATH but what Debian puts there: no Go, no pulumi, no Python but the system's."""
    folder = Path(tempfile.mkdtemp(prefix="hybrid-serving-cold-", dir="/var/tmp"))
    link = (checkout_root() / ".venv").resolve()
    os.environ |= {"XDG_CACHE_HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for name in [name for name in os.environ if name.startswith(("PIP_", "GO", "HYBRID_SERVING_VENV"))]:
        del os.environ[name]
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        (checkout_root() / ".venv").unlink(missing_ok=True)
        (checkout_root() / ".venv").symlink_to(link)


def _run(title: str, argv: list[str]) -> None:
    note(f"== {title}")
    if code := subprocess.run(argv, cwd=checkout_root()).returncode:
        print(f"failed: {title} (exit code {code})", file=sys.stderr, flush=True)
        raise SystemExit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--unit", action="store_true", help="only style, types and the unit tier")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with real shop data for the tests that want it"
    )
    parser.add_argument("--keep", action="store_true", help="leave the local cloud up afterwards, and its stacks alone")
    parser.add_argument(
        "--cold", action="store_true", help="empty caches, PATH of a fresh Debian: proves a bare machine"
    )
    parser.add_argument("--ci", action="store_true", help="a skipped test of the higher tiers is a failure")
    return parser
