"""What an image is made of, as keys: equal keys, equal image."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from scripts.localcloud.cloud import cache_folder, checkout_root

SUITE = "bookworm"
BASE_PACKAGES = ("ca-certificates", "libgomp1", "python3", "python3-venv")
LAYER_FILES = ("Containerfile", "requirements.lock", "slim.py")
EPOCH = 1735689600  # 1 January 2025: the date of every file, so that equal content gives equal layers


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One image of ours. Paths are relative to the checkout.

    `packages` are in its base. `layer_files` decide all its layers but the last, which holds the files of `sources`.
    """

    name: str
    packages: tuple[str, ...]
    context: str
    containerfile: str
    layer_files: tuple[str, ...]
    sources: tuple[str, ...]
    takes: str


SERVING = Recipe(
    name="serving",
    packages=BASE_PACKAGES,
    context=".",
    containerfile="model_image/Containerfile",
    layer_files=tuple(f"model_image/{name}" for name in LAYER_FILES),
    sources=("model_image",),
    takes="3 minutes, 10 s when only the source changed",
)
_GATEWAY = "infra/onprem/gateway_image"
VPN_GATEWAY = Recipe(
    name="vpn-gateway",
    packages=tuple((checkout_root() / _GATEWAY / "packages.txt").read_text().split()),
    context="infra/onprem",
    containerfile=f"{_GATEWAY}/Containerfile",
    layer_files=(f"{_GATEWAY}/Containerfile", f"{_GATEWAY}/packages.txt"),
    sources=("infra/onprem/gateway_agent",),
    takes="20 s",
)
RECIPES = {recipe.name: recipe for recipe in (SERVING, VPN_GATEWAY)}


def base_key(image: Recipe = SERVING) -> str:
    return _short(f"{SUITE} {image.packages} {EPOCH}".encode())


def layers_key(checkout: Path, image: Recipe = SERVING) -> str:
    """Key of all but the source: the base and what the layer of the locked packages is made from."""
    return _short(base_key(image).encode(), *((checkout / name).read_bytes() for name in image.layer_files))


def image_key(checkout: Path, image: Recipe = SERVING) -> str:
    """Key of the whole image: ``layers_key`` and every source file's path and content."""
    named = []
    for source in image.sources:
        folder = checkout / source
        files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        named += [f"{path.relative_to(folder)}\0".encode() + sha256(path.read_bytes()).digest() for path in files]
    return _short(layers_key(checkout, image).encode(), *named)


def home(checkout: Path, image: Recipe = SERVING) -> Path:
    """Cache folder of the images that share all layers but the source."""
    return cache_folder() / "images" / layers_key(checkout, image)


def _short(*parts: bytes) -> str:
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]
