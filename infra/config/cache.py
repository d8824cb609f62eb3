"""Settings of the site's registry cache."""

from dataclasses import dataclass

from infra.config.kubernetes import check_label
from infra.config.reader import Reader

_UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
DEFAULT_PATH = "/var/lib/hybrid-serving/registry-cache"


@dataclass(frozen=True, kw_only=True)
class CacheConfig:
    """How many caches, and where each keeps its releases.

    With `storage_class` each has a volume of `size` of that class; "" is the folder `path` of its node. `size` holds
    the releases in service, the next one while it comes, and `rollbacks` earlier ones.
    """

    replicas: int
    size: str
    rollbacks: int
    storage_class: str
    path: str

    @property
    def bytes(self) -> int:
        """The bound of all releases together: a tenth of the volume is left to its file system."""
        return parse_bytes(self.size) * 9 // 10


def read_cache(reader: Reader) -> CacheConfig | None:
    """The section `cache`; None where servers ask the registry themselves."""
    enabled = reader.flag("enabled", default=True)
    if reader.has("storageClass") and reader.has("path"):
        rule = "with storageClass the cluster finds the place; remove one of the two"
        reader.refuse("path", "set", rule)
    config = CacheConfig(
        replicas=reader.integer("replicas", low=1, high=10, default=2),
        size=reader.text("size", default="20Gi", example="20Gi", check=parse_bytes),
        rollbacks=reader.integer("rollbacks", low=0, high=100, default=2),
        storage_class=reader.text("storageClass", default="", example="local-path", check=check_label),
        path=reader.text("path", default=DEFAULT_PATH, example=DEFAULT_PATH, check=_check_path),
    )
    return config if enabled else None


def parse_bytes(text: str) -> int:
    """Bytes of a Kubernetes quantity in a binary unit; ValueError with the rule otherwise."""
    number, unit = text[:-2], text[-2:]
    if unit not in _UNITS or not number.isdecimal() or not int(number):
        raise ValueError(f"a whole number with one of {', '.join(_UNITS)} is needed, such as 20Gi")
    return int(number) * _UNITS[unit]


def _check_path(text: str) -> None:
    if not text.startswith("/") or text == "/" or ".." in text.split("/"):
        raise ValueError("the absolute path of a folder of the node is needed, that nothing else uses")
