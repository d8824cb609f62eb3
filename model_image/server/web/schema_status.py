"""What machines ask: alive, ready; and what every refusal looks like."""

from msgspec import Struct

from model_image.server.errors import Kind


class LiveAnswer(Struct, frozen=True, kw_only=True):
    """GET /healthz. A server that is not live computes nothing any more, and a new one would."""

    live: bool = True


class ReadyAnswer(Struct, frozen=True, kw_only=True):
    """GET /readyz. `refused` is the release that the channel names and this server will not serve, and the kind of
    the reason; the log has the rest. `fault` is why the server computes nothing any more."""

    ready: bool
    release: str | None
    canary: str | None
    canary_percent: int
    image: str
    site: str
    slot: str
    refused: dict[str, str] | None
    fault: str | None
    registry: str


class Refused(Struct, frozen=True, kw_only=True):
    """`type` is for programs, `message` for people; neither quotes the request."""

    type: Kind
    message: str


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """Every refusal, whatever its status."""

    error: Refused
