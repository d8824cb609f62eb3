"""Bring baked images into the site's node, under the reference that pods and instances name."""

import shutil
import subprocess
from pathlib import Path

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError, step
from scripts.localcloud.images.bake import bake
from scripts.localcloud.images.layout import arrange
from scripts.localcloud.images.recipe import SERVING, Recipe
from scripts.localcloud.images.storage import opened
from scripts.localcloud.kubernetes.containerd import client, ctr

LOCAL_NAME = "hybrid-serving.local"  # the registry of images that were never in one


def import_image(cloud: LocalCloud, repository_url: str) -> str:
    """Name the serving image of this checkout ``<repository_url>@sha256:…`` in the node, and return that reference.

    Imports it first if it is missing (see ``preload``); an image that is there already takes no time.
    """
    local = preload(cloud)
    reference = f"{repository_url}@{local.partition('@')[2]}"
    if reference not in _references(cloud):
        ctr(cloud, "images", "tag", "--force", local, reference)
    return reference


def preload(cloud: LocalCloud, recipe: Recipe = SERVING) -> str:
    """Import an image of this checkout into the node under a name of ours, and return that.

    For images that come from no repository, and for the time when its URL is not known yet. Bakes the image first if
    it is missing; the node must run.
    Raises UserError when the digest changed on the way, or containerd refuses the image.
    """
    baked = bake(cloud.checkout, recipe)
    name = f"{LOCAL_NAME}/{recipe.name}"
    reference = f"{name}@{baked.digest}"
    if reference in _references(cloud):
        return reference
    with (
        step(f"import the {recipe.name} image into the node", "90 s" if recipe is SERVING else ""),
        opened(Path(baked.storage)) as storage,
    ):
        layout = storage.scratch / "layout"
        try:
            storage.buildah("push", "--quiet", "--disable-compression", baked.image, f"dir:{layout}")
            if (pushed := arrange(layout)) != baked.digest:
                raise UserError(f"image {baked.image}: digest {pushed} after the push, baked was {baked.digest}")
            _stream(cloud, layout, name)
        finally:
            shutil.rmtree(layout, ignore_errors=True)
    return reference


def _references(cloud: LocalCloud) -> list[str]:
    return ctr(cloud, "images", "list", "--quiet").stdout.split()


def _stream(cloud: LocalCloud, layout: Path, name: str) -> None:
    """Pack the layout on the way into containerd: an archive of several gigabytes is never written.

    Blobs that containerd has stay out: after a change of the source only one small layer goes over.
    """
    known = ctr(cloud, "content", "list", "--quiet").stdout.split()
    spared = [f"--exclude=./blobs/sha256/{digest.removeprefix('sha256:')}" for digest in known]
    argv = [*client(cloud), "images", "import", "--digests", "--base-name", name, "-"]
    packing = ["tar", "--create", f"--directory={layout}", *spared, "."]
    with subprocess.Popen(packing, stdout=subprocess.PIPE) as packer:
        taken = subprocess.run(argv, stdin=packer.stdout, text=True, capture_output=True)
    if taken.returncode or packer.returncode:
        raise UserError(f"containerd refused the image: {taken.stderr.strip()}")
