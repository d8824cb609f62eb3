"""The base of the baked image: Debian with Python, made from packages, so that no image registry is needed."""

from pathlib import Path

from scripts.localcloud.images.recipe import BASE_PACKAGES, EPOCH, SUITE, base_key
from scripts.localcloud.images.storage import Storage
from scripts.localcloud.shell import run
from scripts.localcloud.tools import cached

FILE = "base.tar"


def ensure(storage: Storage) -> str:
    """The name of the base image in ``storage``, made first if it is missing."""
    name = f"localhost/hybrid-serving-base:{base_key()}"
    if not storage.buildah("images", "--quiet", name, check=False):
        folder = cached(f"images/base-{base_key()}", "make the base image", _bootstrap, "1 minute")
        container = storage.buildah("from", "scratch")
        storage.buildah("add", container, folder / FILE, "/")
        storage.buildah("commit", "--rm", "--quiet", "--timestamp", str(EPOCH), container, name)
    return name


def _bootstrap(into: Path) -> None:
    packages = ",".join(BASE_PACKAGES)
    tidy = "rm -rf $1/var/cache/apt/* $1/var/log/* $1/usr/share/doc/* $1/usr/share/man/*"
    argv = ["mmdebstrap", "--variant=minbase", f"--include={packages}", f"--customize-hook={tidy}", SUITE]
    run([*argv, into / FILE], env={"SOURCE_DATE_EPOCH": str(EPOCH)})
