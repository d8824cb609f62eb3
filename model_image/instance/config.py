"""The agent's configuration: the INSTANCE_* words of its environment, checked at once, unknown ones refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "INSTANCE_"
REQUIRED = ("INSTANCE_METRICS", "INSTANCE_SLOT", "INSTANCE_LAUNCH_HOOK", "INSTANCE_TERMINATION_HOOK")
OPTIONAL = {"INSTANCE_SERVER": "http://127.0.0.1:8080", "INSTANCE_PHASES": "/run/serving/phases"}
SLOTS = ("stable", "canary")
METADATA = "http://169.254.169.254"


class ConfigError(Exception):
    """A word of the environment is missing, unknown or has a bad value."""

    def __init__(self, word: str, value: str | None, rule: str) -> None:
        super().__init__(f"{word}: {'not set' if value is None else repr(value)}, {rule}")


@dataclass(frozen=True, kw_only=True)
class Config:
    """`metrics` is a CloudWatch namespace; `server` and `metadata` are addresses without a path."""

    metrics: str
    slot: str
    launch_hook: str
    termination_hook: str
    server: str
    phases: Path
    region: str
    metadata: str


def read_config(environment: Mapping[str, str]) -> Config:
    """Read the words from `environment`; a word set to '' counts as not set. Raises `ConfigError`."""
    words = {word: value for word, value in environment.items() if word.startswith(PREFIX)}
    known = {*REQUIRED, *OPTIONAL}
    for word in sorted(words.keys() - known):
        raise ConfigError(word, words[word], f"unknown; the words are {', '.join(sorted(known))}")
    given = OPTIONAL | {word: value for word, value in words.items() if value}
    for word in REQUIRED:
        if word not in given:
            raise ConfigError(word, None, "the instance's user data writes it to /etc/serving/instance.env")
    if given["INSTANCE_SLOT"] not in SLOTS:
        raise ConfigError("INSTANCE_SLOT", given["INSTANCE_SLOT"], f"expected one of {', '.join(SLOTS)}")
    if not given["INSTANCE_SERVER"].startswith("http://"):
        raise ConfigError("INSTANCE_SERVER", given["INSTANCE_SERVER"], "expected http://<host>:<port>")
    if not environment.get("AWS_REGION"):
        raise ConfigError("AWS_REGION", None, "expected the region of the instance, such as eu-central-1")
    return Config(
        metrics=given["INSTANCE_METRICS"],
        slot=given["INSTANCE_SLOT"],
        launch_hook=given["INSTANCE_LAUNCH_HOOK"],
        termination_hook=given["INSTANCE_TERMINATION_HOOK"],
        server=given["INSTANCE_SERVER"].rstrip("/"),
        phases=Path(given["INSTANCE_PHASES"]),
        region=environment["AWS_REGION"],
        # The AWS SDK's own word, so that both ask the same service.
        metadata=(environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or METADATA).rstrip("/"),
    )
