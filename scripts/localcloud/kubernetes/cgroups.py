"""The cgroup of one local cloud, in every hierarchy of a version 1, version 2 or mixed machine."""

from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def hierarchies(root: Path = ROOT) -> list[Path]:
    """Mount points: the root itself on a version 2 machine, else one folder per controller (and ``unified``)."""
    if (root / "cgroup.controllers").exists():
        return [root]
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def make(name: str) -> None:
    """Make the cgroup everywhere; kubelet refuses a ``cgroupRoot`` that does not exist."""
    for hierarchy in hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)


def members(name: str, proc: Path = Path("/proc")) -> set[int]:
    """Pids of the processes in the cgroup or below it, in any hierarchy."""
    found = set()
    for file in proc.glob("[0-9]*/cgroup"):
        try:
            text = file.read_text()
        except OSError:  # ended meanwhile
            continue
        if any(belongs(line, name) for line in text.splitlines()):
            found.add(int(file.parent.name))
    return found


def belongs(line: str, name: str) -> bool:
    """Does a line of /proc/<pid>/cgroup (``id:controllers:path``) lie in the cgroup ``/<name>``?"""
    path = line.split(":", 2)[2]
    return path == f"/{name}" or path.startswith(f"/{name}/")


def remove(name: str) -> bool:
    """Remove the cgroup and all below it, and return True. Raises OSError while a process is in it."""
    for hierarchy in hierarchies():
        folders = [path for path in (hierarchy / name).rglob("*") if path.is_dir()]
        for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
            folder.rmdir()
        if (hierarchy / name).exists():
            (hierarchy / name).rmdir()
    return True
