"""Bad requests: each is refused with its kind, quotes nothing, and takes nothing else down."""

import json
import logging

import pytest

from model_image.server.computation import MAX_TOKENS
from model_image.server.errors import MEANING, STATUS, Kind
from model_image.server.web.schema import MAX_BODY, MAX_CANDIDATES, MAX_DOCUMENTS, MAX_HISTORY, MAX_TEXTS
from tests.model_image.server.whole import PARTS, QUESTIONS, TITLES


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


SEARCH = [
    (b"", "invalid_json"),
    (b"{", "invalid_json"),
    (b"\xff\xfe", "invalid_json"),
    (b'{"query": "\xff"}', "invalid_json"),
    (b'{"query": "\xed\xa0\x80"}', "invalid_json"),
    (b'{"query": "\\ud800"}', "invalid_json"),
    (b'{"query": "a"} {}', "invalid_json"),
    (b'{"query": "a", "k": NaN}', "invalid_json"),
    (b'{"query": "a", "more": ' + b"[" * 500_000, "invalid_json"),
    (b'{"query": "a", "more": ' + b'{"a":' * 100_000, "invalid_json"),
    (b"[]", "invalid_request"),
    (b"null", "invalid_request"),
    (b"{}", "invalid_request"),
    (b'{"query": 3}', "invalid_request"),
    (b'{"query": null}', "invalid_request"),
    (b'{"query": ["a"]}', "invalid_request"),
    (body(query=" "), "invalid_request"),
    (body(query="a", k=0), "invalid_request"),
    (body(query="a", k=101), "invalid_request"),
    (body(query="a", k=1.5), "invalid_request"),
    (body(query="a", k=10**30), "invalid_request"),
    (body(query="a", rerank="yes"), "invalid_request"),
    (body(query="a" * 100_001), "invalid_request"),
    (b" " * (MAX_BODY + 1), "body_too_large"),
]
OTHERS = [
    ("/v1/embeddings", body(input=[]), "invalid_request"),
    ("/v1/embeddings", body(input=[1, 2]), "invalid_request"),
    ("/v1/embeddings", body(input=["a"] * (MAX_TEXTS + 1)), "invalid_request"),
    ("/v1/embeddings", body(input="a", encoding_format="hex"), "invalid_request"),
    ("/rerank", body(query="a", texts=[None]), "invalid_request"),
    ("/rerank", body(query="a", texts=[]), "invalid_request"),
    ("/rerank", body(query="a", texts=["a"] * (MAX_DOCUMENTS + 1)), "invalid_request"),
    ("/rerank", body(query="a", documents=[{"title": "b"}]), "invalid_request"),
    ("/rerank", body(query="a", documents=["b"], top_n=0), "invalid_request"),
    ("/v1/recommend", body(history=[]), "invalid_request"),
    ("/v1/recommend", body(history=[3]), "invalid_request"),
    ("/v1/recommend", body(history=[{"id": "p0", "weight": 0}]), "invalid_request"),
    ("/v1/recommend", body(history=[{"id": "p0", "age_days": -1}]), "invalid_request"),
    ("/v1/recommend", b'{"history": [{"id": "p0", "age_days": 1e999}]}', "invalid_request"),
    ("/v1/recommend", body(history=["p0"] * (MAX_HISTORY + 1)), "invalid_request"),
    ("/v1/recommend", body(history=["p0"], candidates=[]), "invalid_request"),
    ("/v1/recommend", body(history=["p0"], candidates=["p0"] * (MAX_CANDIDATES + 1)), "invalid_request"),
    ("/v1/similar", body(id=""), "invalid_request"),
    ("/v1/similar", body(id="p" * 201), "invalid_request"),
    ("/v1/classify", body(task="../../etc", texts=["a"]), "invalid_request"),
    ("/v1/classify", body(task="department", texts=[]), "invalid_request"),
    ("/v1/predict", body(task="price", texts="a"), "invalid_request"),
]


@pytest.mark.parametrize(("path", "content", "kind"), [("/v1/search", *case) for case in SEARCH] + OTHERS)
def test_a_bad_request_is_refused_with_its_kind(serving, path: str, content: bytes, kind: str) -> None:
    response = serving.http.post(path, content=content)
    assert response.json()["error"]["type"] == kind
    assert response.status_code == STATUS[Kind(kind)]


@pytest.mark.parametrize("path", sorted(QUESTIONS))
def test_no_route_takes_what_is_no_request(serving, path: str) -> None:
    for content in (b"", b"{", b"[]", b"\xff", b'{"a":' * 50_000):
        assert serving.http.post(path, content=content).status_code in (400, 422)


@pytest.mark.parametrize("value", ["0", "-1", "10001", "1.5", "soon", "", "1" * 50, "٣"])
def test_a_bad_time_limit_is_refused_with_its_rule(serving, value: str) -> None:
    headers = {"serving-timeout-ms": value.encode()}
    response = serving.http.post("/v1/search", json={"query": "a"}, headers=headers)
    assert (response.status_code, response.json()["error"]["type"]) == (422, "invalid_request")
    assert "from 1 to 10000" in response.json()["error"]["message"]


def test_the_longest_time_limit_is_taken(serving) -> None:
    headers = {"serving-timeout-ms": "10000"}
    assert serving.http.post("/v1/search", json={"query": "a"}, headers=headers).status_code == 200


def test_too_many_tokens_are_refused_after_counting(serving, folder_registry, make_release) -> None:
    def classify(texts: list[str]):
        return serving.http.post("/v1/classify", json={"task": "department", "texts": texts})

    serving.promote(folder_registry, make_release(*TITLES, **PARTS))
    texts = ["word " * 2048] * (MAX_TOKENS // 2048)
    response = classify([*texts, "word"])
    assert (response.status_code, response.json()["error"]["type"]) == (413, "too_many_tokens")
    assert str(MAX_TOKENS) in response.json()["error"]["message"]
    assert classify(texts).status_code == 200


def test_the_refusal_names_the_field_and_quotes_nothing(serving) -> None:
    for content in ({"query": "secret words", "k": 1000}, {"query": "a", "k": "secret words"}):
        message = serving.http.post("/v1/search", json=content).json()["error"]["message"]
        assert "$.k" in message
        assert "secret" not in message
    asked = {"input": "a", "encoding_format": "secret - at `$.words`"}
    message = serving.http.post("/v1/embeddings", json=asked).json()["error"]["message"]
    assert "encoding_format" in message
    assert "secret" not in message


def test_every_kind_of_error_has_a_status_and_a_meaning() -> None:
    assert set(STATUS) == set(MEANING) == set(Kind)
    assert all(400 <= status < 600 for status in STATUS.values())


def test_logs_hold_no_text_no_user_and_no_exceptions_words(serving, monkeypatch, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"serving-user": "secretuser"}
    serving.http.post("/v1/search", json={"query": "secretword"}, headers=headers)
    serving.http.post("/v1/search", json={"query": "secretword", "k": "secretword"}, headers=headers)

    def fail(vector, k, **how):
        raise ValueError("secretword")

    monkeypatch.setattr(serving.releases.current.index, "search", fail)
    response = serving.http.post("/v1/search", json={"query": "secretword"}, headers=headers)
    assert (response.status_code, response.json()["error"]["type"]) == (500, "internal")
    assert "secretword" not in response.text
    ours = [record for record in caplog.records if record.name == "serving"]
    assert {record.message for record in ours} == {"answered", "request failed"}
    told = str([{**record.__dict__, "exc_info": None, "exc_text": None} for record in ours])
    assert "secret" not in told


def test_a_failing_computation_is_a_typed_error_and_the_server_goes_on(serving, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(serving.releases.current.encoder, "run", lambda sequences: 1 / 0)
        response = serving.http.post("/v1/search", json={"query": "red"})
    assert (response.status_code, response.json()["error"]["type"]) == (500, "internal")
    assert response.headers["serving-site"] == "onprem"
    assert serving.http.post("/v1/search", json={"query": "red"}).status_code == 200
