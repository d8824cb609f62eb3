"""Our server as it runs in production, `python -m model_image.server`, on a registry in a folder."""

import shutil
import sys
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from model_image import artefact, sample
from model_image.base import FILES, find_base
from model_image.layout import CROSS_ENCODER
from model_image.registry import Registry, open_registry
from model_image.settings import SETTINGS
from scripts.localcloud.cloud import checkout_root
from scripts.localcloud.console import step
from scripts.localcloud.serving_bench.names import OURS
from scripts.localcloud.serving_bench.peers import HttpPeer
from scripts.localcloud.serving_bench.servers import Server, free_port, running
from scripts.localcloud.serving_bench.workload import Request

MODEL = "search"
MAX_WAIT_SECONDS = 2
"""Eight questions of 32 pairs wait longer than the server's default on a CPU, and what it refuses cannot be timed. The
overload meets the same bound."""

_SERVED = (*FILES, SETTINGS)


@dataclass(frozen=True)
class Ours(HttpPeer):
    """A release of the packaged encoder, the sample catalogue and the cross-encoder.

    `folder` holds the registry and the server's data. The server's first start downloads the release into the latter;
    the measured ones find it on the disk, as the peers find their model.
    """

    folder: Path
    name: str = OURS
    label: str = "this project's server"

    def prepare(self, model: Path) -> None:
        registry = self.folder / "registry"
        if not registry.exists():
            registry.mkdir()
            with step("publish a release with the cross-encoder", "20 s"):
                publish(open_registry(registry), model)

    def start(self, model: Path, first: Request, log: Path) -> AbstractContextManager[Server]:
        port = free_port()
        env = {
            "SERVING_SITE": "onprem",
            "SERVING_SLOT": "stable",
            "SERVING_REGISTRY": str(self.folder / "registry"),
            "SERVING_MODEL": MODEL,
            "SERVING_DATA": str(self.folder / "data"),
            "SERVING_PORT": str(port),
            "SERVING_DRAIN_SECONDS": "0",
            "SERVING_MAX_WAIT_SECONDS": str(MAX_WAIT_SECONDS),
        }
        argv = [sys.executable, "-m", "model_image.server"]
        return running(argv, port=port, env=env, log=log, first=self.wire(first), cwd=checkout_root())


def publish(registry: Registry, model: Path) -> None:
    """Release 0 of the sample catalogue with the cross-encoder in `model`, made stable."""
    from model_image import release_zero

    with tempfile.TemporaryDirectory(prefix="release-") as name:
        folder = Path(name)
        manifest = release_zero.build(sample.CATALOGUE, folder, find_base(), model=MODEL)
        (folder / CROSS_ENCODER).mkdir()
        for file in _SERVED:
            shutil.copyfile(model / file, folder / CROSS_ENCODER / file)
        weights = sha256((model / "model.safetensors").read_bytes()).hexdigest()
        artefact.seal(
            folder,
            model=MODEL,
            base_model=f"{manifest.base_model} cross-encoder sha256-{weights}",
            data_revision=manifest.data_revision,
            code_revision=manifest.code_revision,
        )
        digest = registry.publish(folder)
    registry.promote(MODEL, digest, who="scripts/bench", why="measured")
