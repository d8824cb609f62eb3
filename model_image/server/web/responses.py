"""JSON answers and error answers."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from model_image.server.errors import Kind, ServingError

_encoder = msgspec.json.Encoder()


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`content` is anything msgspec encodes."""
    return Response(_encoder.encode(content), status, headers, media_type="application/json")


def error_response(error: ServingError, headers: Mapping[str, str] | None = None) -> Response:
    """The one shape of all refusals, with the headers that HTTP wants beside some of them."""
    told = dict(headers or {})
    if error.retry_after is not None:
        told["retry-after"] = str(error.retry_after)
    if error.kind is Kind.UNAUTHENTICATED:
        told["www-authenticate"] = "Bearer"
    if error.kind is Kind.SLOW_BODY:
        told["connection"] = "close"  # whatever of the body still comes is not worth waiting for
    return json_response({"error": {"type": error.kind, "message": str(error)}}, error.status, told)
