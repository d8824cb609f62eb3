"""The cache's configuration: the CACHE_* words of its environment, checked at once, unknown ones refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model_image.words import ConfigError, number, required

PREFIX = "CACHE_"


@dataclass(frozen=True, kw_only=True)
class Config:
    """One field per word; CACHE_POLL_SECONDS is `poll_seconds`.

    `rollbacks` is how many earlier releases are held beside the named ones, `bytes` the bound of all together; the
    change of a release needs room for the old and the new one.
    """

    registry: str
    model: str = "search"
    port: int = 8080
    poll_seconds: float = 2.0
    rollbacks: int = 2
    bytes: int = 20 << 30
    data: Path = Path("/var/lib/cache")


def read_config(environment: Mapping[str, str]) -> Config:
    """Read the words from `environment`; a word set to '' counts as not set. Raises `ConfigError`."""
    words = {word: value for word, value in environment.items() if word.startswith(PREFIX)}
    known = {f"{PREFIX}{field.upper()}" for field in Config.__dataclass_fields__}
    for word in sorted(words.keys() - known):
        raise ConfigError(word, words[word], f"unknown; the words are {', '.join(sorted(known))}")
    given = {word: value for word, value in words.items() if value}
    return Config(
        registry=required(given, "CACHE_REGISTRY", "expected s3://<bucket> or a folder"),
        model=given.get("CACHE_MODEL", Config.model),
        port=int(number(given, "CACHE_PORT", Config.port, 1, 65535, whole=True)),
        poll_seconds=number(given, "CACHE_POLL_SECONDS", Config.poll_seconds, 0.05, 3600),
        rollbacks=int(number(given, "CACHE_ROLLBACKS", Config.rollbacks, 0, 100, whole=True)),
        bytes=int(number(given, "CACHE_BYTES", Config.bytes, 1, 1 << 50, whole=True)),
        data=Path(given.get("CACHE_DATA", Config.data)),
    )
