"""JSON answers and error answers."""

from typing import Any

import msgspec
from starlette.responses import Response

from model_image.server.errors import ServingError

_encoder = msgspec.json.Encoder()


def json_response(content: Any, status: int = 200) -> Response:
    """`content` is anything msgspec encodes."""
    return Response(_encoder.encode(content), status, media_type="application/json")


def error_response(error: ServingError) -> Response:
    """The one shape of all refusals."""
    response = json_response({"error": {"type": error.kind, "message": str(error)}}, error.status)
    if error.retry_after is not None:
        response.headers["retry-after"] = str(error.retry_after)
    return response
