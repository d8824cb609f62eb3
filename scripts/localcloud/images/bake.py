"""Bake the images of this checkout: the same Containerfiles that ``docker buildx build`` takes elsewhere."""

import ast
import configparser
import io
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.localcloud import bootstrap, tools
from scripts.localcloud.console import note, step
from scripts.localcloud.files import write_json
from scripts.localcloud.images import base
from scripts.localcloud.images.recipe import EPOCH, SERVING, Recipe, home, image_key
from scripts.localcloud.images.storage import Storage, opened
from scripts.localcloud.shell import run

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
WHEELS = "/wheels"  # the Containerfile downloads nothing when it finds wheels there


@dataclass(frozen=True, kw_only=True)
class Baked:
    """An image in the storage: ``digest`` of its manifest with uncompressed layers, ``size`` of the layers in bytes."""

    digest: str
    image: str
    size: int
    storage: str  # folder that ``storage.opened`` takes


def bake(checkout: Path, recipe: Recipe = SERVING) -> Baked:
    """Bake the image unless this very source was baked before.

    Raises UserError with the end of the build's output; the whole of it is in ``<cache>/images/<key>/build.log``.
    """
    if baked := _recorded(checkout, recipe):
        return baked
    folder = home(checkout, recipe)
    record = _record(checkout, recipe)  # once: the source may be edited during the build
    tools.apt("buildah", "mmdebstrap")
    with opened(folder) as storage:
        ground = base.ensure(storage, recipe)
        with step(f"bake the {recipe.name} image", recipe.takes):
            baked = _build(storage, checkout, recipe, ground, tag=record.stem)
        if record == _record(checkout, recipe):  # else the source was edited meanwhile, and who knows what went in
            write_json(record, asdict(baked))
    note(f"  {baked.digest}, {baked.size / 1e9:.2f} GB")
    return baked


def pip_settings(listed: str) -> str:
    """pip.conf for the build, from the output of ``pip config list``: the host's settings and its certificates.

    A line is ``section.option='value'``; an environment variable has the section ``:env:``.
    """
    settings = configparser.RawConfigParser()
    settings.add_section("global")
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.partition(".")
        section = "global" if section.startswith(":") else section
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, option, str(ast.literal_eval(value)))
    settings.set("global", "cert", str(CERTIFICATES))
    text = io.StringIO()
    settings.write(text)
    return text.getvalue()


def _build(storage: Storage, checkout: Path, recipe: Recipe, ground: str, *, tag: str) -> Baked:
    name = f"localhost/hybrid-serving:{tag}"
    pip = storage.folder / "pip.conf"
    pip.touch(mode=0o600)  # an index URL may hold a password
    pip.write_text(pip_settings(run([sys.executable, "-m", "pip", "config", "list"], check=False).stdout))
    mounts = {bootstrap.wheels(): WHEELS, pip: "/etc/pip.conf", CERTIFICATES: str(CERTIFICATES)}
    # The others take nothing from Python's package index.
    given = mounts.items() if recipe is SERVING else ()
    volumes = [f"--volume={source}:{target}:ro" for source, target in given if source.exists()]
    storage.buildah(
        "build", "--layers", "--network=host", f"--timestamp={EPOCH}", "--identity-label=false",
        f"--build-arg=BASE={ground}", *volumes, f"--tag={name}",
        f"--file={checkout / recipe.containerfile}", checkout / recipe.context,
        log=storage.folder / "build.log",
    )  # fmt: skip
    described = json.loads(storage.buildah("inspect", "--type", "image", name))
    layers = json.loads(described["Manifest"])["layers"]
    return Baked(
        digest=described["FromImageDigest"],
        image=described["FromImageID"],
        size=sum(layer["size"] for layer in layers),
        storage=str(storage.folder),
    )


def _record(checkout: Path, recipe: Recipe) -> Path:
    return home(checkout, recipe) / f"{image_key(checkout, recipe)}.json"


def _recorded(checkout: Path, recipe: Recipe) -> Baked | None:
    try:
        return Baked(**json.loads(_record(checkout, recipe).read_text()))
    except FileNotFoundError:
        return None
