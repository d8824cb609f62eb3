"""Every refusal of the server: one class, one table from its kind to the HTTP status."""

from enum import StrEnum


class Kind(StrEnum):
    """What went wrong, as the answer names it."""

    INVALID_JSON = "invalid_json"
    INVALID_REQUEST = "invalid_request"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    OVERLOADED = "overloaded"
    INTERNAL = "internal"
    NOT_READY = "not_ready"


STATUS: dict[Kind, int] = {
    Kind.INVALID_JSON: 400,
    Kind.NOT_FOUND: 404,
    Kind.METHOD_NOT_ALLOWED: 405,
    Kind.BODY_TOO_LARGE: 413,
    Kind.INVALID_REQUEST: 422,
    Kind.OVERLOADED: 429,
    Kind.INTERNAL: 500,
    Kind.NOT_READY: 503,
}


class ServingError(Exception):
    """Becomes the answer `{"error": {"type", "message"}}`. `retry_after` (whole seconds) becomes the header."""

    def __init__(self, kind: Kind, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        return STATUS[self.kind]
