"""The document says what the server does: it is valid, complete, and what it allows never fails."""

from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as from_seed
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS, load_all_checks

from model_image.server.errors import STATUS, Kind
from model_image.server.web.incoming import TIMEOUT
from model_image.server.web.openapi import document
from model_image.server.web.operations import OPERATIONS
from tests.model_image.server.whole import PARTS, QUESTIONS, TITLES

MADE_UP = 12
"""Requests per route that the document allows, and as many that it does not."""


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return document(OPERATIONS, open_paths=frozenset({"/healthz"}), timeout_seconds=10)


@pytest.fixture
def whole(server, folder_registry, make_release):
    server.promote(folder_registry, make_release(*TITLES, **PARTS))
    return server


def test_the_document_is_valid_openapi(whole) -> None:
    answer = whole.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    validate(answer.json())
    assert answer.json()["openapi"].startswith("3.1")


def test_it_names_every_route_with_its_method(whole, told) -> None:
    served = {(route.path, *(route.methods - {"HEAD"})) for route in whole.http.app.routes}
    assert {(path, *(method.upper() for method in item)) for path, item in told["paths"].items()} == served


def test_every_refusal_has_the_one_shape_and_no_kind_is_missing(told) -> None:
    found = set()
    for item in told["paths"].values():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                if "ErrorAnswer" in str(answer):
                    found |= {kind for kind in Kind if f"{kind}: " in answer["description"]}
                    assert answer["content"]["application/json"]["schema"] == {
                        "$ref": "#/components/schemas/ErrorAnswer"
                    }
                    assert int(status) in STATUS.values()
    # Refused before a route is found, or before there is a request at all.
    assert set(Kind) - found == {Kind.METHOD_NOT_ALLOWED, Kind.INVALID_HTTP}


@pytest.mark.parametrize("path", sorted(QUESTIONS))
def test_an_ordinary_request_and_its_answer_fit_the_document(whole, told, path: str) -> None:
    def check(value: object, schema: dict[str, Any]) -> None:
        jsonschema.validate(value, {**schema, "components": told["components"]})

    operation = told["paths"][path]["post"]
    check(QUESTIONS[path], operation["requestBody"]["content"]["application/json"]["schema"])
    answer = whole.http.post(path, json=QUESTIONS[path])
    check(answer.json(), operation["responses"]["200"]["content"]["application/json"]["schema"])


load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
    ]
)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", sorted(QUESTIONS))
def test_nothing_made_up_fails_the_server_or_breaks_the_document(whole, told, path: str, mode) -> None:
    schema = schemathesis.openapi.from_dict(told)
    operation = schema[path]["POST"]
    asked = []

    @from_seed(0)
    @settings(
        max_examples=MADE_UP,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver")
        if "data" in sent:
            sent["content"] = sent.pop("data")  # what this client calls bytes
        response = whole.http.request(**{name: value for name, value in sent.items() if name != "cookies"})
        asked.append(response.status_code)
        if response.status_code == 413 or (response.status_code == 504 and TIMEOUT in response.request.headers):
            return  # too long to be judged, and too short a time asked for: both are what the document says
        case.validate_response(response, checks=CHECKED)

    ask()
    assert len(asked) >= MADE_UP
