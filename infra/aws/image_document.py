"""What EC2 Image Builder does on its instances, as a component document, and versions that follow from content.

Pure functions. The scripts are in the folder `bake`; their values come before them, in the same step. A document names
nothing secret: the instances' role brings the access.
"""

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.aws.bootstrap import DATA
from infra.aws.units import USER
from infra.images import ImageReference

# What the server of an instance looks for when it is not told (SERVING_MODEL).
MODEL = "search"
# Names the image that a machine image was made with; absent on every other machine.
BAKED_FILE = "/etc/serving/baked"
# API reference, CreateComponent, `data`.
MOST_CHARACTERS = 16000
# Image Builder user guide, "Semantic versioning in Image Builder": a node of a version is below 2^30.
_NODE = 2**30
_SCRIPTS, _HOST = Path(__file__).parent / "bake", Path(__file__).parent / "host"
_STEP_SECONDS = 1800
_PULLS = 3


@dataclass(frozen=True, kw_only=True)
class Bake:
    """What is put on the disk: the image, and the release that is stable in this registry (S3 bucket) at that time."""

    image: ImageReference
    region: str
    bucket: str
    model: str = MODEL


def component_document(bake: Bake) -> str:
    """The YAML document (Image Builder user guide, "Use the AWSTOE component document framework").

    build: image and release; validate: what is on the disk before it is copied; test: a new machine from the copy.
    """
    document = {
        "name": "serving-image",
        "description": f"{bake.image.digest} and a release of {bake.model}",
        "schemaVersion": 1.0,
        "phases": [
            _phase("build", PullImage=_pull(bake), PreloadRelease=_step(bake, "serve", "preload")),
            _phase("validate", InspectDisk=_step(bake, "inspect")),
            _phase("test", ServeCutOff=_step(bake, "serve", "prove")),
        ],
    }
    return yaml.dump(document, Dumper=_Readable, sort_keys=False, width=4096)


def version_of(*contents: str) -> str:
    """A version for something with these contents: the same for the same, another one for others.

    Image Builder keeps what a version once held, so a change needs another version. Only their difference counts, not
    their order: nothing here asks for the newest. Two contents in 2^30 have the same, which a new name (every
    replacement gets one) makes harmless.
    """
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content.encode()).digest())
    return f"1.0.{int.from_bytes(digest.digest()) % _NODE}"


def _environment(bake: Bake) -> dict[str, str]:
    return {
        "AWS_REGION": bake.region,
        "BAKED": BAKED_FILE,
        "IMAGE": str(bake.image),
        "SERVER_USER": f"{USER}:{USER}",
        "SERVING_DATA": DATA,
        "SERVING_DRAIN_SECONDS": "0",
        "SERVING_IMAGE": str(bake.image),
        "SERVING_MODEL": bake.model,
        "SERVING_PORT": "8080",
        "SERVING_REGISTRY": f"s3://{bake.bucket}",
        "SERVING_SITE": "aws",
        "SERVING_SLOT": "stable",
    }


def _phase(name: str, **steps: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "steps": [{"name": step, **rest} for step, rest in steps.items()]}


def _pull(bake: Bake) -> dict[str, Any]:
    """Repeated when it fails: what is there already is not pulled again."""
    return _run(bake, _SCRIPTS / "pull", _HOST / "serving-pull") | {"maxAttempts": _PULLS}


def _step(bake: Bake, *scripts: str) -> dict[str, Any]:
    return _run(bake, *(_SCRIPTS / script for script in scripts))


def _run(bake: Bake, *scripts: Path) -> dict[str, Any]:
    values = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in _environment(bake).items())
    script = values + "".join(path.read_text() for path in scripts)
    return {
        "action": "ExecuteBash",
        "timeoutSeconds": _STEP_SECONDS,
        "onFailure": "Abort",
        "inputs": {"commands": [script]},
    }


class _Readable(yaml.SafeDumper):
    """Writes scripts as such: whoever looks at the component in the console can read them."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)
