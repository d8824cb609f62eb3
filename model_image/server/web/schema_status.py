"""What machines ask: alive, ready; and what every refusal looks like."""

from msgspec import Struct

from model_image.server.errors import Kind


class LiveAnswer(Struct, frozen=True, kw_only=True):
    """GET /healthz."""

    live: bool = True


class ReadyAnswer(Struct, frozen=True, kw_only=True):
    """GET /readyz. `refused` is the release that the channel names and this server will not serve, and why."""

    ready: bool
    release: str | None
    canary: str | None
    canary_percent: int
    image: str
    site: str
    slot: str
    refused: dict[str, str] | None
    registry: str


class Refused(Struct, frozen=True, kw_only=True):
    """`type` is for programs, `message` for people; neither quotes the request."""

    type: Kind
    message: str


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """Every refusal, whatever its status."""

    error: Refused
