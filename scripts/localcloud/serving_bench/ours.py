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
from model_image.catalogue import read_catalogue, read_queries
from model_image.layout import CROSS_ENCODER
from model_image.products import product_text
from model_image.registry import Registry, open_registry
from model_image.settings import SETTINGS, read_settings
from model_image.tokens import Tokenizer
from scripts.localcloud.cloud import checkout_root
from scripts.localcloud.console import UserError, step
from scripts.localcloud.serving_bench.names import OURS, OURS_INT8
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

    `folder` holds, in one of its name, the registry and the server's data. The server's first start downloads the
    release into the latter; the measured ones find it on the disk, as the peers find their model.
    """

    folder: Path
    int8: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return OURS_INT8 if self.int8 else OURS

    @property
    def label(self) -> str:  # type: ignore[override]
        return "this project's server, int8" if self.int8 else "this project's server"

    def prepare(self, model: Path) -> None:
        registry = self.folder / self.name / "registry"
        if not registry.exists():
            registry.mkdir(parents=True)
            with step("publish a release with the cross-encoder", "20 s"):
                publish(open_registry(registry), model, int8=self.int8)

    def start(self, model: Path, first: Request, log: Path) -> AbstractContextManager[Server]:
        port = free_port()
        env = {
            "SERVING_SITE": "onprem",
            "SERVING_SLOT": "stable",
            "SERVING_REGISTRY": str(self.folder / self.name / "registry"),
            "SERVING_MODEL": MODEL,
            "SERVING_DATA": str(self.folder / self.name / "data"),
            "SERVING_PORT": str(port),
            "SERVING_DRAIN_SECONDS": "0",
            "SERVING_MAX_WAIT_SECONDS": str(MAX_WAIT_SECONDS),
        }
        argv = [sys.executable, "-m", "model_image.server"]
        return running(argv, port=port, env=env, log=log, first=self.wire(first), cwd=checkout_root())


def publish(registry: Registry, model: Path, *, int8: bool = False) -> None:
    """Release 0 of the sample catalogue with the cross-encoder in `model`, made stable; with `int8`, with steps that
    were found on the sample's queries and products, which are none of those that are measured."""
    from model_image import release_zero

    with tempfile.TemporaryDirectory(prefix="release-") as name:
        folder = Path(name)
        manifest = release_zero.build(sample.CATALOGUE, folder, find_base(), model=MODEL)
        (folder / CROSS_ENCODER).mkdir()
        for file in _SERVED:
            shutil.copyfile(model / file, folder / CROSS_ENCODER / file)
        if int8:
            _add_steps(folder / CROSS_ENCODER)
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


def _add_steps(model: Path) -> None:
    import torch

    from model_image.packed import steps_for
    from model_image.packed.int8 import write_steps
    from model_image.packed.precision import gains_from_int8

    if not gains_from_int8(torch.device("cpu")):
        raise UserError("this processor gains nothing from 8-bit products, so the server does without")
    products = [product_text(product.title, product.category) for product in read_catalogue(sample.CATALOGUE)]
    tokenizer = Tokenizer(model, read_settings(model).max_tokens)
    texts = tokenizer.tokenize(products)
    queries = tokenizer.tokenize([query.query for query in read_queries(sample.QUERIES)])
    pairs = [tokenizer.pair(query, text) for at, query in enumerate(queries) for text in texts[at % 5 :: 5]]
    write_steps(model, steps_for(model, pairs))
