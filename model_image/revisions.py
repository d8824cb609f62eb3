"""What a release is made from: weights, catalogue and code, so that none is built twice."""

import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model_image.artefact import Manifest
from model_image.base import Base

_SOURCES = ("approximate", "artefact", "base", "catalogue", "embed", "index", "layout", "packed/*", "products",
            "release_zero", "revisions", "sequences", "server/backend", "server/backends/cpu", "server/backends/cuda",
            "settings", "tables", "tensor_files", "tokens")  # fmt: skip
"""Modules that decide what a release holds."""

_LIBRARIES = ("faiss-cpu", "numpy", "tokenizers", "torch")
"""Packages whose versions may change numbers."""

_LEARNING = ("duckdb", "lightgbm", "scikit-learn", "scipy")
"""Those that may change what is learnt."""


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


def inputs(catalogue: Path, base: Base, *, renamed: Mapping[str, str] | None = None) -> Inputs:
    """Revisions of the weights, the catalogue's bytes and the code that builds, its libraries included."""
    names = "".join(f" {ours}={theirs}" for ours, theirs in sorted((renamed or {}).items()))
    return Inputs(
        base_model=base.revision,
        data_revision=_sha256(catalogue.read_bytes()) + names,
        code_revision=_code(_SOURCES, _LIBRARIES),
    )


def training_revision() -> str:
    """The code that builds a release with everything learnt in it, its libraries included."""
    return _code((*_SOURCES, "signals/*", "training/**/*"), (*_LIBRARIES, *_LEARNING))


def _code(sources: Sequence[str], libraries: Sequence[str]) -> str:
    here = Path(__file__).parent
    files = [path for name in sources for path in sorted(here.glob(f"{name}.py"))]
    versions = " ".join(f"{name}=={importlib.metadata.version(name).partition('+')[0]}" for name in libraries)
    return _sha256(b"".join(path.read_bytes() for path in files) + versions.encode())


def _sha256(data: bytes) -> str:
    return f"sha256-{hashlib.sha256(data).hexdigest()}"
