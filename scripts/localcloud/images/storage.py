"""buildah with an image storage of our own: the user's images are neither seen nor touched."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.localcloud.locks import file_lock
from scripts.localcloud.shell import run


class Storage:
    """One storage folder, held by one process at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "tmp"  # emptied before each use

    def buildah(self, *argv: str | Path, log: Path | None = None, check: bool = True) -> str:
        """Run buildah and return its standard output, which is empty when it goes to ``log``.

        It has process and mount namespaces of its own, which end with this process: a killed build leaves no running
        step and no mount behind.
        """
        own_process = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        private = [*own_process, "--mount", "--propagation", "slave", "--"]
        own: list[str | Path] = ["--root", self.folder / "storage", "--runroot", self.folder / "run"]
        # The user's settings stay out, and buildah's lock on network configurations stays out of /etc/cni.
        settings = self.folder / "containers.conf"
        settings.write_text(f'[network]\nnetwork_config_dir = "{self.scratch}"\n')
        env = {"TMPDIR": str(self.scratch), "BUILDAH_ISOLATION": "chroot", "CONTAINERS_CONF": str(settings)}
        done = run([*private, "buildah", *own, "--storage-driver", "overlay", *argv], env=env, log=log, check=check)
        return (done.stdout or "").strip()


@contextmanager
def opened(folder: Path) -> Iterator[Storage]:
    """Hold the storage in ``folder`` (made if missing); what an interrupted build left is cleared away first."""
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / "lock", "another checkout bakes an image now"):
        for transient in ("run", "tmp"):
            shutil.rmtree(folder / transient, ignore_errors=True)
            (folder / transient).mkdir()
        storage = Storage(folder)
        storage.buildah("rm", "--all")
        yield storage
