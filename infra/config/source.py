"""Where settings come from: the config of the stack that runs. Nothing else in the project asks Pulumi for config."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG

from infra.names import PROJECT


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The config of one stack as the engine hands it over, by namespace."""

    stack: str
    own: Mapping[str, Any]
    aws: Mapping[str, Any]
    kubernetes: Mapping[str, Any]

    @classmethod
    def current(cls) -> "Settings":
        """The settings of the stack that the engine is running."""
        return cls.of(pulumi.get_stack(), CONFIG.get())

    @classmethod
    def of(cls, stack: str, config: Mapping[str, Any]) -> "Settings":
        """Settings from keys such as `hybrid-serving:env` and `aws:region`."""

        def namespace(name: str) -> dict[str, Any]:
            return {key.split(":", 1)[1]: value for key, value in config.items() if key.startswith(f"{name}:")}

        return cls(stack=stack, own=namespace(PROJECT), aws=namespace("aws"), kubernetes=namespace("kubernetes"))

    @property
    def role(self) -> str:
        """What the stack is for: `aws`, `onprem` or `dns`, the last part of its name."""
        return self.stack.rpartition("-")[2]
