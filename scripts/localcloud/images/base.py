"""The base of the baked image: Debian with Python, made from packages, so that no image registry is needed."""

from pathlib import Path

from scripts.localcloud.images.recipe import EPOCH, SUITE, Recipe, base_key
from scripts.localcloud.images.storage import Storage
from scripts.localcloud.shell import run
from scripts.localcloud.tools import cached

FILE = "base.tar"


def ensure(storage: Storage, image: Recipe) -> str:
    """The name of the image's base in ``storage``, made first if it is missing."""
    key = base_key(image)
    name = f"localhost/hybrid-serving-base:{key}"
    if not storage.buildah("images", "--quiet", name, check=False):
        folder = cached(
            f"images/base-{key}",
            f"make the base of the {image.name} image",
            lambda into: _bootstrap(image.packages, into),
            "1 minute",
        )
        container = storage.buildah("from", "scratch")
        storage.buildah("add", container, folder / FILE, "/")
        storage.buildah("commit", "--rm", "--quiet", "--timestamp", str(EPOCH), container, name)
    return name


def _bootstrap(packages: tuple[str, ...], into: Path) -> None:
    tidy = "rm -rf $1/var/cache/apt/* $1/var/log/* $1/usr/share/doc/* $1/usr/share/man/*"
    argv = ["mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", f"--customize-hook={tidy}", SUITE]
    run([*argv, into / FILE], env={"SOURCE_DATE_EPOCH": str(EPOCH)})
