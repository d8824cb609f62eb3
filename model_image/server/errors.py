"""Every refusal of the server: one class, one table from its kind to the HTTP status, one to its meaning."""

from enum import StrEnum


class Kind(StrEnum):
    """What went wrong, as the answer names it."""

    INVALID_HTTP = "invalid_http"
    INVALID_JSON = "invalid_json"
    UNAUTHENTICATED = "unauthenticated"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    SLOW_BODY = "slow_body"
    BODY_TOO_LARGE = "body_too_large"
    TOO_MANY_TOKENS = "too_many_tokens"
    INVALID_REQUEST = "invalid_request"
    OVERLOADED = "overloaded"
    INTERNAL = "internal"
    UNSUPPORTED = "unsupported"
    NOT_READY = "not_ready"
    DEADLINE = "deadline"


STATUS: dict[Kind, int] = {
    Kind.INVALID_HTTP: 400,
    Kind.INVALID_JSON: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.NOT_FOUND: 404,
    Kind.METHOD_NOT_ALLOWED: 405,
    Kind.SLOW_BODY: 408,
    Kind.BODY_TOO_LARGE: 413,
    Kind.TOO_MANY_TOKENS: 413,
    Kind.INVALID_REQUEST: 422,
    Kind.OVERLOADED: 429,
    Kind.INTERNAL: 500,
    Kind.UNSUPPORTED: 501,
    Kind.NOT_READY: 503,
    Kind.DEADLINE: 504,
}

MEANING: dict[Kind, str] = {
    Kind.INVALID_HTTP: "not HTTP/1.1 as this server reads it; the connection is closed",
    Kind.INVALID_JSON: "the body is not JSON in UTF-8, or nested too deeply",
    Kind.UNAUTHENTICATED: "no API key, or one that this server does not know",
    Kind.NOT_FOUND: "no such path, task or product",
    Kind.METHOD_NOT_ALLOWED: "the path has other methods; Allow names them",
    Kind.SLOW_BODY: "the body did not arrive in time",
    Kind.BODY_TOO_LARGE: "the body is above the limit",
    Kind.TOO_MANY_TOKENS: "the texts together have more tokens than one request may ask for",
    Kind.INVALID_REQUEST: "a field or header has a value that its rule does not allow",
    Kind.OVERLOADED: "the work that waits would take too long; ask again after Retry-After seconds",
    Kind.INTERNAL: "a fault of the server; its log has the place",
    Kind.UNSUPPORTED: "the release in service has no model for this",
    Kind.NOT_READY: "no release is in service, or the server is stopping; ask again after Retry-After seconds",
    Kind.DEADLINE: "the answer was not there by the request's deadline",
}


class ServingError(Exception):
    """Becomes the answer `{"error": {"type", "message"}}`. `retry_after` (whole seconds) becomes the header.

    The message goes to clients and never quotes what a user wrote.
    """

    def __init__(self, kind: Kind, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        return STATUS[self.kind]


class BackendLostError(Exception):
    """What computes is gone for this process: no call after this one can succeed, only a restart helps. A model raises
    it, say for a CUDA context that an error has broken; memory that ran out is none."""
