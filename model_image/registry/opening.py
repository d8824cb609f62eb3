"""From an address to a registry."""

import re
from pathlib import Path
from typing import Any

from model_image.registry.registry import Registry
from model_image.registry_errors import RegistryError
from model_image.stores.folder import FolderStore
from model_image.stores.http import HttpStore
from model_image.stores.s3 import S3Store

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_CACHE = re.compile(r"http://[a-z0-9.-]+(:[0-9]+)?")


def open_registry(address: str | Path, client: Any = None) -> Registry:
    """The registry at `s3://<bucket>` (with `client`, or one made from the environment), in an existing folder, or,
    to read only, as the cache at `http://<host>:<port>` holds it."""
    text = str(address)
    if _CACHE.fullmatch(text.rstrip("/")):
        return Registry(HttpStore(text.rstrip("/")))
    if not text.startswith("s3://"):
        if "://" in text or not text:
            raise RegistryError(
                f"registry: {text!r}, expected s3://<bucket>, the path of a folder, or http://<host>:<port> of a cache"
            )
        return Registry(FolderStore(Path(text)))
    bucket = text.removeprefix("s3://").rstrip("/")
    if not _BUCKET.fullmatch(bucket):
        raise RegistryError(f"registry: {text!r}, expected s3://<bucket> with a bucket name and no path")
    return Registry(S3Store(bucket, client))
