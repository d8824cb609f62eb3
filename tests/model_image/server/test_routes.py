import asyncio
import json
import threading

import httpx
import pytest

from model_image.server import schema
from model_image.server.errors import STATUS, Kind
from model_image.server.schema import MAX_BODY, MAX_TEXTS


def error_of(response) -> str:
    return response.json()["error"]["type"]


def test_search_finds_the_product_and_says_who_answered(serving) -> None:
    response = serving.http.post("/v1/search", json={"query": "a garden hose", "k": 2})
    answer = response.json()
    assert response.status_code == 200
    assert answer["results"][0]["id"] == "p2"
    assert answer["results"][0]["title"] == "green garden hose"
    assert answer["results"][0]["score"] > answer["results"][1]["score"]
    assert (answer["query"], len(answer["results"])) == ("a garden hose", 2)
    assert (answer["site"], answer["slot"], answer["model"]) == ("onprem", "stable", "search")
    assert answer["release"] == serving.releases.current.digest


def test_more_results_than_products_gives_all_products(serving) -> None:
    assert len(serving.http.post("/v1/search", json={"query": "red", "k": 100}).json()["results"]) == 3


@pytest.mark.parametrize("path", ["/v1/search", "/healthz", "/readyz", "/metrics", "/nowhere"])
def test_every_answer_names_site_and_release(serving, path: str) -> None:
    for response in (serving.http.get(path), serving.http.post(path, json={"query": "red"})):
        assert response.headers["serving-site"] == "onprem"
        assert response.headers["serving-release"] == serving.releases.current.digest


def test_embeddings_have_the_openai_shape_and_length_one(serving) -> None:
    answer = serving.http.post("/v1/embeddings", json={"input": ["red shoes", ""], "model": "any"}).json()
    assert (answer["object"], answer["model"]) == ("list", "search")
    assert [entry["index"] for entry in answer["data"]] == [0, 1]
    for entry in answer["data"]:
        assert sum(x * x for x in entry["embedding"]) == pytest.approx(1)
    assert answer["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    assert len(serving.http.post("/v1/embeddings", json={"input": "one text"}).json()["data"]) == 1


def test_rerank_has_the_tei_shape_and_sorts_by_cosine(serving) -> None:
    body = {"query": "red shoes", "texts": ["a hose", "red shoes", "red kettle"]}
    answer = serving.http.post("/rerank", json=body).json()
    assert [entry["index"] for entry in answer] == [1, 2, 0]
    assert answer[0]["score"] == pytest.approx(1)
    assert "text" not in answer[0]
    assert serving.http.post("/rerank", json={**body, "return_text": True}).json()[0]["text"] == "red shoes"


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/v1/search", b"{", "invalid_json"),
        ("/v1/search", b"\xff\xfe", "invalid_json"),
        ("/v1/search", b'{"query": "\xff"}', "invalid_json"),
        ("/v1/search", b"[]", "invalid_request"),
        ("/v1/search", b"{}", "invalid_request"),
        ("/v1/search", b'{"query": 3}', "invalid_request"),
        ("/v1/search", b'{"query": " "}', "invalid_request"),
        ("/v1/search", b'{"query": "a", "k": 0}', "invalid_request"),
        ("/v1/search", b'{"query": "a", "k": 101}', "invalid_request"),
        ("/v1/search", b'{"query": "a", "k": 1.5}', "invalid_request"),
        ("/v1/search", json.dumps({"query": "a" * 100_001}).encode(), "invalid_request"),
        ("/v1/embeddings", b'{"input": []}', "invalid_request"),
        ("/v1/embeddings", json.dumps({"input": ["a"] * (MAX_TEXTS + 1)}).encode(), "invalid_request"),
        ("/v1/embeddings", b'{"input": "a", "encoding_format": "base64"}', "invalid_request"),
        ("/rerank", b'{"query": "a", "texts": [null]}', "invalid_request"),
        ("/v1/search", b" " * (MAX_BODY + 1), "body_too_large"),
    ],
)
def test_a_bad_request_is_refused_with_its_kind(serving, path: str, body: bytes, kind: str) -> None:
    response = serving.http.post(path, content=body)
    assert error_of(response) == kind
    assert response.status_code == STATUS[Kind(kind)]


def test_a_lone_surrogate_is_no_server_error(serving) -> None:
    response = serving.http.post("/v1/search", content=b'{"query": "\\ud800"}')
    assert response.status_code < 500


def test_an_unknown_path_and_a_wrong_method_have_the_same_error_shape(serving) -> None:
    assert error_of(serving.http.get("/nowhere")) == "not_found"
    assert error_of(serving.http.get("/v1/search")) == "method_not_allowed"


def test_the_refusal_names_the_field_and_not_the_text(serving) -> None:
    response = serving.http.post("/v1/search", json={"query": "secret words", "k": 1000})
    message = response.json()["error"]["message"]
    assert "k" in message
    assert "100" in message
    assert "secret" not in message


def test_every_kind_of_error_has_a_status() -> None:
    assert set(STATUS) == set(Kind)


def test_logs_hold_no_user_text(serving, capfd, monkeypatch, caplog) -> None:
    caplog.set_level("INFO")
    serving.http.post("/v1/search", json={"query": "secretword"})
    monkeypatch.setattr(serving.releases.current, "search", lambda query, k: 1 / len(query.replace(query, "")))
    assert serving.http.post("/v1/search", json={"query": "secretword"}).status_code == 500
    assert "answered" in caplog.text
    assert "secretword" not in caplog.text + str([record.__dict__ for record in caplog.records])


def test_a_failing_computation_is_a_typed_error_and_the_server_goes_on(serving, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(serving.releases.current, "search", lambda query, k: 1 / 0)
        response = serving.http.post("/v1/search", json={"query": "red"})
    assert (response.status_code, error_of(response)) == (500, "internal")
    assert response.headers["serving-site"] == "onprem"
    assert serving.http.post("/v1/search", json={"query": "red"}).status_code == 200


def test_metrics_count_answers_errors_and_the_release(serving) -> None:
    serving.http.post("/v1/search", json={"query": "red"})
    serving.http.post("/v1/search", json={})
    text = serving.http.get("/metrics").text
    assert 'serving_requests_total{route="/v1/search",status="200"} 1.0' in text
    assert 'serving_errors_total{kind="invalid_request"} 1.0' in text
    assert f'serving_release_info{{release="{serving.releases.current.digest}"}} 1.0' in text
    assert "serving_ready 1.0" in text


def test_a_full_queue_is_told_at_once_while_the_event_loop_stays_free(serving, monkeypatch) -> None:
    release = serving.releases.current
    entered, gate = threading.Event(), threading.Event()
    original = release.embed

    def slow(texts):
        entered.set()
        assert gate.wait(10)
        return original(texts)

    monkeypatch.setattr(release, "embed", slow)

    async def scenario() -> tuple[list[int], httpx.Response, int]:
        transport = httpx.ASGITransport(app=serving.http.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            body = {"input": ["a"] * schema.MAX_TEXTS}
            running = [asyncio.create_task(client.post("/v1/embeddings", json=body)) for _ in range(2)]
            await asyncio.to_thread(entered.wait, 10)
            refused = await client.post("/v1/embeddings", json=body)
            live = await client.get("/healthz")
            gate.set()
            return [(await task).status_code for task in running], refused, live.status_code

    accepted, refused, live = asyncio.run(scenario())
    assert accepted == [200, 200]
    assert live == 200
    assert (refused.status_code, error_of(refused)) == (429, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
