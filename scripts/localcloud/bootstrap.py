"""From a fresh clone to the project's Python environment, with nothing but the standard library.

The environment lives in the user's cache under a hash of requirements.txt and the interpreter; ``.venv`` in the
checkout is a link to it, so a second clone has it at once. Wheels are downloaded once into a folder that the image
build uses too.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from scripts.localcloud.cloud import LocalCloud, cache_folder, checkout_root
from scripts.localcloud.console import UserError, run_verb, step
from scripts.localcloud.shell import bound
from scripts.localcloud.tools import apt, cached


def enter_venv(*, as_it_is: bool = False, bare_help: bool = True, first: Callable[[], None] = lambda: None) -> None:
    """Go on in the project's environment: makes it when it is missing, then runs this very command again in it.

    A call for help is answered without it, unless the verb cannot (``bare_help``). ``as_it_is`` takes an environment
    that is there although requirements.txt has moved on: what only ends things must not wait for packages. ``first``
    is asked before anything is installed: it raises UserError on a machine that cannot do the rest.
    """
    link = checkout_root() / ".venv"
    if Path(sys.prefix) == link.resolve() or os.environ.get("HYBRID_SERVING_VENV") == sys.prefix:
        return
    there = os.path.exists(link)  # unlike Path.exists, also for a folder that this user may not enter
    if bare_help and not there and {"-h", "--help"} & set(sys.argv[1:]):
        return
    if not there and as_it_is and not LocalCloud.held(checkout_root()):
        return  # nothing is up: that can be said without packages

    def go_on() -> NoReturn:
        first()
        _run_again_in(link.resolve() if as_it_is and there else _up_to_date(link))

    run_verb(go_on)


def wheels() -> Path:
    """Folder with every wheel of requirements.txt, shared with the image build."""
    return cache_folder() / "wheels"


def environment() -> Path:
    """The virtual environment for this checkout's requirements.txt, made first if it is missing.

    Raises UserError with the command to repeat when a package cannot be had.
    """
    requirements = checkout_root() / "requirements.txt"
    key = sha256(requirements.read_bytes() + sys.version.encode() + sys.base_prefix.encode()).hexdigest()[:12]
    return cached(f"venv-{key}", "install the Python packages", lambda into: _install(requirements, into), "4 minutes")


def _install(requirements: Path, into: Path) -> None:
    if subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode:
        apt("python3-venv")
    subprocess.run([sys.executable, "-m", "venv", str(into)], check=True)
    pip = [str(into / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    wheels().mkdir(parents=True, exist_ok=True)
    with step("download the wheels (3 GB)", "90 s"):
        _pip([*pip, "download", "-q", "--only-binary", ":all:", "--require-hashes", "-r", str(requirements),
              "-d", str(wheels())])  # fmt: skip
    _pip([*pip, "install", "-q", "--no-index", "--find-links", str(wheels()), "-r", str(requirements)])


def _pip(argv: list[str]) -> None:
    """Run pip, and once more if it fails: a broken download is the usual reason."""
    for last in (False, True):
        done = subprocess.run(bound(argv), text=True, capture_output=True)
        if not done.returncode:
            return
        if last:
            tail = "\n".join(done.stderr.strip().splitlines()[-8:])
            raise UserError(f"the Python packages could not be installed; run the same command again:\n{tail}")


def _up_to_date(link: Path) -> Path:
    venv = environment()
    if link.is_symlink() or not os.path.exists(link):  # a real folder there is the user's own environment
        link.unlink(missing_ok=True)
        link.symlink_to(venv)
    return venv


def _run_again_in(venv: Path) -> NoReturn:
    python = str(venv / "bin" / "python")
    os.execve(python, [python, *sys.argv], {**os.environ, "HYBRID_SERVING_VENV": str(venv)})
