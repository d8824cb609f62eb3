"""The OpenAPI document of the server, made from the same types that decode requests and encode answers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from model_image.server.errors import MEANING, STATUS, Kind
from model_image.server.web.incoming import TIMEOUT, USER
from model_image.server.web.schema_status import ErrorAnswer

_ABOUT = "Search, recommendation and text models of a shop, answered by the release in service."
_REF = "#/components/schemas/{name}"
_NEVER = frozenset({Kind.INVALID_HTTP})  # no request that this document describes gets it
_ALWAYS = (Kind.UNAUTHENTICATED, Kind.INTERNAL)
_POSTED = (
    Kind.INVALID_JSON,
    Kind.SLOW_BODY,
    Kind.BODY_TOO_LARGE,
    Kind.TOO_MANY_TOKENS,
    Kind.INVALID_REQUEST,
    Kind.OVERLOADED,
    Kind.NOT_READY,
    Kind.DEADLINE,
)


class Operation(NamedTuple):
    """One path and method. `answers` are by status; a type is JSON, text is a media type. `kinds` are the refusals
    beside those that each operation of its kind has."""

    path: str
    summary: str
    answers: dict[int, Any]
    asks: type[msgspec.Struct] | None = None
    kinds: tuple[Kind, ...] = ()

    @property
    def method(self) -> str:
        return "POST" if self.asks else "GET"


def document(operations: Sequence[Operation], *, open_paths: frozenset[str], timeout_seconds: float) -> dict[str, Any]:
    """OpenAPI 3.1, as plain values. `open_paths` need no key."""
    types = [kind for one in operations for kind in (one.asks, *one.answers.values()) if kind and kind is not str]
    _, components = msgspec.json.schema_components([*types, ErrorAnswer], ref_template=_REF)
    if "RerankRequest" in components:  # what no type of Python says
        components["RerankRequest"]["oneOf"] = [{"required": ["texts"]}, {"required": ["documents"]}]
    headers = [
        _header(USER, "whose request this is: the same user meets the same release", {"type": "string"}),
        _header(TIMEOUT, "the most to wait", {"type": "integer", "minimum": 1, "maximum": int(timeout_seconds * 1000)}),
    ]
    paths = {one.path: {one.method.lower(): _operation(one, one.path in open_paths, headers)} for one in operations}
    return {
        "openapi": "3.1.0",
        "info": {"title": "hybrid-serving", "version": "1", "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _operation(one: Operation, is_open: bool, headers: list[dict[str, Any]]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.path.strip("/").replace("/", "_").replace(".", "_"),
        "summary": one.summary,
        "responses": {str(status): _answer(kind) for status, kind in one.answers.items()},
    }
    kinds = {*_ALWAYS, *(_POSTED if one.asks else ()), *one.kinds} - _NEVER
    if is_open:
        kinds -= {Kind.UNAUTHENTICATED}
    else:
        described["security"] = [{}, {"bearer": []}, {"key": []}]  # {}: a server that names no keys
    for status in sorted({STATUS[kind] for kind in kinds} - set(one.answers)):
        told = [f"{kind}: {MEANING[kind]}" for kind in kinds if STATUS[kind] == status]
        described["responses"][str(status)] = _json("; ".join(sorted(told)), ErrorAnswer, status)
    if one.asks:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": _schema(one.asks)}}}
        described["parameters"] = headers
    return described


def _answer(kind: Any) -> dict[str, Any]:
    if kind is str:
        return {
            "description": "text",
            "headers": _headers(200),
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    return _json("the answer", kind, 200)


def _json(description: str, kind: Any, status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": _schema(kind)}}
    return {"description": description, "headers": _headers(status), "content": content}


def _headers(status: int) -> dict[str, Any]:
    told = {"serving-site": "the site that answered", "serving-release": "the digest of the release that answered"}
    if status in (429, 503):
        told["retry-after"] = "seconds"
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in told.items()}


def _schema(kind: Any) -> Any:
    [schema], _ = msgspec.json.schema_components([kind], ref_template=_REF)
    return schema


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}
