"""The instance metadata service, version 2 (EC2 user guide, "Use the Instance Metadata Service")."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from model_image.instance.http import NoAnswerError, ask

TOKEN_SECONDS = 21600  # AWS's limit
_TTL_HEADER, _TOKEN_HEADER = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"


class MetadataError(Exception):
    """The service does not answer, or with something else than it documents."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """`launched`: unix seconds of the instance's last change to pending; None when the service does not tell."""

    instance: str
    launched: float | None


class Metadata:
    """A client of the service at `address`. The token is kept, and renewed before its end or when it is refused."""

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._address, self._clock = address, clock
        self._token, self._until = "", 0.0

    def identity(self) -> Identity:
        """Who this instance is. Raises `MetadataError`."""
        told = self._json("/latest/dynamic/instance-identity/document")
        if not isinstance(told, dict) or not isinstance(told.get("instanceId"), str):
            raise MetadataError("the instance identity document names no instanceId")
        return Identity(instance=told["instanceId"], launched=_unix(told.get("pendingTime")))

    def ends(self) -> bool:
        """Whether the auto scaling group terminates this instance. Raises `MetadataError`."""
        return self._get("/latest/meta-data/autoscaling/target-lifecycle-state") == "Terminated"

    def interruption(self) -> str | None:
        """What the spot service announced for this instance, such as "terminate at 2030-01-01T06:00:00Z".

        None as long as nothing is announced. Raises `MetadataError`.
        """
        path = "/latest/meta-data/spot/instance-action"
        if (text := self._get(path)) is None:
            return None
        try:
            told = json.loads(text)
            return f"{told['action']} at {told['time']}"
        except (ValueError, KeyError, TypeError):
            return "unreadable"  # something is announced; to miss it for its form would lose requests

    def _json(self, path: str) -> Any:
        try:
            return json.loads(self._get(path) or "")
        except ValueError as error:
            raise MetadataError(f"{path}: not JSON") from error

    def _get(self, path: str) -> str | None:
        """The value at `path`, None where there is none (404)."""
        for _ in range(2):
            status, text = self._ask(path, {_TOKEN_HEADER: self._valid_token()})
            if status == 401:  # the service was restarted, or our clock stood still: this token is worth nothing
                self._until = 0.0
                continue
            if status == 404:
                return None
            if status != 200:
                raise MetadataError(f"{path}: answered with {status}")
            return text.strip()
        raise MetadataError(f"{path}: a new token was refused as well")

    def _valid_token(self) -> str:
        now = self._clock()
        if now >= self._until:
            status, token = self._ask("/latest/api/token", {_TTL_HEADER: str(TOKEN_SECONDS)}, method="PUT")
            if status != 200 or not token:
                raise MetadataError(f"/latest/api/token: answered with {status}; is IMDSv2 on, with a hop limit of 2?")
            self._token, self._until = token, now + TOKEN_SECONDS - 60
        return self._token

    def _ask(self, path: str, headers: dict[str, str], *, method: str = "GET") -> tuple[int, str]:
        try:
            return ask(self._address + path, headers, method=method)
        except NoAnswerError as error:
            raise MetadataError(str(error)) from error


def _unix(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
