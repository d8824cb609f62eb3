"""What an image is made of, as keys: equal keys, equal image."""

from hashlib import sha256
from pathlib import Path

from scripts.localcloud.cloud import cache_folder

SUITE = "bookworm"
BASE_PACKAGES = ("ca-certificates", "libgomp1", "python3", "python3-venv")
LAYER_FILES = ("Containerfile", "requirements.lock", "slim.py")
EPOCH = 1735689600  # 1 January 2025: the date of every file, so that equal content gives equal layers


def base_key() -> str:
    return _short(f"{SUITE} {BASE_PACKAGES} {EPOCH}".encode())


def layers_key(checkout: Path) -> str:
    """Key of all but the source: the base and what the layer of the locked packages is made from."""
    return _short(base_key().encode(), *((checkout / "model_image" / name).read_bytes() for name in LAYER_FILES))


def image_key(checkout: Path) -> str:
    """Key of the whole image: ``layers_key`` and every source file's path and content."""
    folder = checkout / "model_image"
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    named = (f"{path.relative_to(folder)}\0".encode() + sha256(path.read_bytes()).digest() for path in files)
    return _short(layers_key(checkout).encode(), *named)


def home(checkout: Path) -> Path:
    """Cache folder of the images that share all layers but the source."""
    return cache_folder() / "images" / layers_key(checkout)


def _short(*parts: bytes) -> str:
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]
