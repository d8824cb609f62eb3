"""Every route on the dummy backend: what answers hold, and who gave them."""

import base64
import math
import re
import struct

import pytest

from model_image.canary import chosen
from model_image.server import computation
from model_image.server.releases.refusals import Refusal
from model_image.server.releases.releases import Releases
from model_image.server.scheduling.scheduler import Scheduler
from model_image.server.web.operations import OPERATIONS
from tests.model_image.server.whole import PARTS, QUESTIONS, TITLES


@pytest.fixture
def whole(server, folder_registry, make_release):
    """A ready server whose release has every part."""
    server.promote(folder_registry, make_release(*TITLES, **PARTS))
    return server


def ask(server, path: str, **body: object):
    answer = server.http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer: dict) -> list[str]:
    return [result["id"] for result in answer["results"]]


def test_search_finds_the_product_and_says_who_answered(serving) -> None:
    answer = ask(serving, "/v1/search", query="a garden hose", k=2)
    assert answer["results"][0]["id"] == "p2"
    assert answer["results"][0]["title"] == "green garden hose"
    assert answer["results"][0]["score"] > answer["results"][1]["score"]
    assert (answer["query"], len(answer["results"]), answer["reranked"]) == ("a garden hose", 2, False)


@pytest.mark.parametrize("path", ["/v1/search", "/v1/recommend", "/v1/similar", "/v1/classify", "/v1/predict"])
def test_answers_name_release_site_slot_and_model(whole, path: str) -> None:
    answer = ask(whole, path, **QUESTIONS[path])
    assert (answer["site"], answer["slot"], answer["model"]) == ("onprem", "stable", "search")
    assert answer["release"] == whole.releases.current.digest


def test_more_results_than_products_gives_all_products(serving) -> None:
    assert len(ask(serving, "/v1/search", query="red", k=100)["results"]) == 3


def test_the_cross_encoder_orders_what_the_index_finds_unless_told_otherwise(whole) -> None:
    body = {"query": "red shoes"}
    reranked, plain = ask(whole, "/v1/search", **body), ask(whole, "/v1/search", **body, rerank=False)
    assert (reranked["reranked"], plain["reranked"]) == (True, False)
    assert reranked["results"][0]["id"] == "p0"
    # two of three words: the dummy's logit is 8 (cosine - 0.5)
    logit = 8 * (2 / math.sqrt(6) - 0.5)
    assert reranked["results"][0]["score"] == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-4)
    assert plain["results"][0]["score"] == pytest.approx(2 / math.sqrt(6), abs=0.001)


def test_fewer_candidates_than_results_asked_for_takes_nothing_away(start, folder_registry, make_release) -> None:
    with start(rerank_candidates=1) as server:
        server.promote(folder_registry, make_release(*TITLES, **PARTS))
        assert len(ask(server, "/v1/search", query="red", k=3)["results"]) == 3


def test_a_search_reranks_no_more_of_its_own_candidates_than_the_tokens_of_a_request(
    whole, folder_registry, monkeypatch
) -> None:
    asked = {"query": "red running shoes"}
    [one] = ask(whole, "/v1/search", **asked, k=1)["results"]
    monkeypatch.setattr(computation, "MAX_TOKENS", 10)  # a pair has six: two are too many
    assert ask(whole, "/v1/search", **asked, k=1)["results"] == [one]
    refused = whole.http.post("/v1/search", json={**asked, "k": 3})
    assert (refused.status_code, refused.json()["error"]["type"]) == (413, "too_many_tokens")


def test_to_ask_for_reranking_without_a_cross_encoder_is_told_in_the_answer(serving) -> None:
    assert ask(serving, "/v1/search", query="red shoes", rerank=True)["reranked"] is False


def test_recommend_leaves_the_history_out_unless_asked(server, folder_registry, make_release) -> None:
    server.promote(folder_registry, make_release("red shoes", "red boots", "blue kettle", "blue cup"))
    assert ids(ask(server, "/v1/recommend", history=["p0"])) == ["p1", "p2", "p3"]
    assert ids(ask(server, "/v1/recommend", history=["p0"], include_history=True, k=2)) == ["p0", "p1"]


def test_recommend_follows_what_is_recent_and_what_weighs_more(server, folder_registry, make_release) -> None:
    server.promote(folder_registry, make_release("red shoes", "red boots", "blue kettle", "blue cup"))
    old, new = {"id": "p0", "age_days": 60}, {"id": "p2", "age_days": 1}
    assert ids(ask(server, "/v1/recommend", history=[old, new]))[0] == "p3"
    assert ids(ask(server, "/v1/recommend", history=["p2", *["p0"] * 3]))[0] == "p1"
    assert ids(ask(server, "/v1/recommend", history=[{"id": "p0", "weight": 9}, "p2"]))[0] == "p1"


def test_recommend_ranks_only_the_candidates_and_counts_unknown_ids(server, folder_registry, make_release) -> None:
    server.promote(folder_registry, make_release("red shoes", "red boots", "blue kettle", "blue cup"))
    answer = ask(server, "/v1/recommend", history=["p0", "gone"], candidates=["p2", "p0", "p1", "p1", "lost"])
    assert ids(answer) == ["p1", "p2"]
    assert answer["unknown"] == 2
    assert ask(server, "/v1/recommend", history=["p0"], candidates=["p0"])["results"] == []


@pytest.mark.parametrize("more", [{}, {"candidates": ["gone"]}])
def test_when_no_id_is_known_recommend_refuses(serving, more: dict) -> None:
    history = ["p0"] if more else ["gone", {"id": "lost"}]
    answer = serving.http.post("/v1/recommend", json={"history": history, **more})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "invalid_request")
    assert "gone" not in answer.text


def test_similar_leaves_the_product_itself_out(server, folder_registry, make_release) -> None:
    server.promote(folder_registry, make_release("red shoes", "blue kettle", "red shoes", "red boots"))
    assert ids(ask(server, "/v1/similar", id="p0")) == ["p2", "p3", "p1"]
    answer = server.http.post("/v1/similar", json={"id": "gone"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found")


def test_classify_gives_every_label_with_its_probability_best_first(whole) -> None:
    first, second = ask(whole, "/v1/classify", task="department", texts=["red shoes", "a garden hose"])["results"]
    assert (first[0]["label"], second[0]["label"]) == ("shoes", "garden")
    for row in (first, second):
        assert {entry["label"] for entry in row} == {"shoes", "kitchen", "garden"}
        assert sum(entry["score"] for entry in row) == pytest.approx(1)
        assert [entry["score"] for entry in row] == sorted((entry["score"] for entry in row), reverse=True)


def test_predict_gives_one_value_per_text(whole) -> None:
    values = ask(whole, "/v1/predict", task="price", texts=["red shoes", "hose", "red shoes"])["values"]
    assert len(values) == 3
    assert values[0] == values[2] != values[1]


@pytest.mark.parametrize(
    ("path", "task", "status", "kind"),
    [
        ("/v1/classify", "nothing", 404, "not_found"),
        ("/v1/predict", "nothing", 404, "not_found"),
        ("/v1/classify", "price", 422, "invalid_request"),
        ("/v1/predict", "department", 422, "invalid_request"),
    ],
)
def test_a_task_that_is_not_there_or_of_another_kind_is_refused(whole, path, task, status, kind) -> None:
    answer = whole.http.post(path, json={"task": task, "texts": ["a"]})
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)


@pytest.mark.parametrize("path", ["/v1/classify", "/v1/predict"])
def test_a_release_without_such_tasks_does_not_support_them(serving, path: str) -> None:
    answer = serving.http.post(path, json=QUESTIONS[path])
    assert (answer.status_code, answer.json()["error"]["type"]) == (501, "unsupported")


def test_embeddings_have_the_openai_shape_and_length_one(serving) -> None:
    answer = ask(serving, "/v1/embeddings", input=["red shoes", ""], model="any", user="x", dimensions=64)
    assert (answer["object"], answer["model"]) == ("list", "search")
    assert [entry["index"] for entry in answer["data"]] == [0, 1]
    for entry in answer["data"]:
        assert sum(x * x for x in entry["embedding"]) == pytest.approx(1)
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert len(ask(serving, "/v1/embeddings", input="one text")["data"]) == 1


def test_base64_embeddings_are_the_same_numbers(serving) -> None:
    [plain] = ask(serving, "/v1/embeddings", input="red shoes")["data"]
    [packed] = ask(serving, "/v1/embeddings", input="red shoes", encoding_format="base64")["data"]
    assert struct.unpack("<64f", base64.b64decode(packed["embedding"])) == tuple(plain["embedding"])


@pytest.mark.parametrize("dimensions", [1, 63, 65, 0, -1])
def test_another_length_of_vectors_is_refused(serving, dimensions: int) -> None:
    answer = serving.http.post("/v1/embeddings", json={"input": "a", "dimensions": dimensions})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "invalid_request")
    assert "64" in answer.text


RERANK = {"query": "red shoes", "texts": ["a hose", "red shoes", "red kettle"]}


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_texts_are_answered_in_the_tei_shape(whole, path: str) -> None:
    answer = ask(whole, path, **RERANK)
    assert [entry["index"] for entry in answer] == [1, 2, 0]
    assert [set(entry) for entry in answer] == [{"index", "score"}] * 3
    assert answer[0]["score"] == pytest.approx(1 / (1 + math.exp(-4)), rel=1e-4)
    raw = ask(whole, path, **RERANK, raw_scores=True, return_text=True)
    assert [entry["score"] for entry in raw] == pytest.approx([4, 0, -4], abs=1e-4)
    assert [entry["text"] for entry in raw] == ["red shoes", "red kettle", "a hose"]


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_documents_are_answered_in_the_shape_of_cohere_and_jina(whole, path: str) -> None:
    documents = ["a hose", {"text": "red shoes"}, "red kettle"]
    answer = ask(whole, path, model="any", query="red shoes", documents=documents, top_n=2)
    assert [entry["index"] for entry in answer["results"]] == [1, 2]
    assert [set(entry) for entry in answer["results"]] == [{"index", "relevance_score"}] * 2
    assert answer["model"] == "search"
    assert answer["usage"]["total_tokens"] == 12
    shown = ask(whole, path, query="red shoes", documents=documents, return_documents=True)["results"]
    assert shown[0]["document"] == {"text": "red shoes"}


def test_without_a_cross_encoder_rerank_sorts_by_cosine(serving) -> None:
    answer = ask(serving, "/rerank", **RERANK)
    assert [entry["index"] for entry in answer] == [1, 2, 0]
    assert answer[0]["score"] == pytest.approx(1)


@pytest.mark.parametrize("body", [{"query": "a"}, {"query": "a", "texts": ["b"], "documents": ["b"]}])
def test_rerank_takes_either_texts_or_documents(serving, body: dict) -> None:
    answer = serving.http.post("/rerank", json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "invalid_request")
    assert "documents" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/search", "/healthz", "/readyz", "/metrics", "/nowhere", "/openapi.json"])
def test_every_answer_names_site_and_release(serving, path: str) -> None:
    for response in (serving.http.get(path), serving.http.post(path, json={"query": "red"})):
        assert response.headers["serving-site"] == "onprem"
        assert response.headers["serving-release"] == serving.releases.current.digest


def test_until_a_release_is_there_every_question_is_told_when_to_come_back(server) -> None:
    for path, body in QUESTIONS.items():
        answer = server.http.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "not_ready"), path
        assert int(answer.headers["retry-after"]) >= 1


def test_an_unknown_path_and_a_wrong_method_have_the_same_error_shape(serving) -> None:
    assert serving.http.get("/nowhere").json()["error"]["type"] == "not_found"
    assert serving.http.post("/v1/search/", json={}).json()["error"]["type"] == "not_found"
    refused = serving.http.get("/v1/search")
    assert (refused.json()["error"]["type"], refused.headers["allow"]) == ("method_not_allowed", "POST")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_options_names_the_methods_and_head_is_get_without_its_body(serving, operation) -> None:
    options = serving.http.options(operation.path)
    assert options.status_code == 204
    assert operation.method in options.headers["allow"].split(", ")
    head = serving.http.head(operation.path)
    if operation.method == "GET":
        assert head.status_code == serving.http.get(operation.path).status_code
        assert head.headers["content-type"] == serving.http.get(operation.path).headers["content-type"]
    else:
        assert head.status_code == 405


def test_metrics_count_answers_errors_tokens_and_the_release(serving) -> None:
    ask(serving, "/v1/search", query="red shoes")
    serving.http.post("/v1/search", json={})
    text = serving.http.get("/metrics").text
    assert 'serving_requests_total{channel="stable",route="/v1/search",status="200"} 1.0' in text
    assert 'serving_errors_total{channel="stable",kind="invalid_request"} 1.0' in text
    assert f'serving_release_info{{release="{serving.releases.current.digest}"}} 1.0' in text
    assert "serving_tokens_total 2.0" in text
    assert "serving_ready 1.0" in text


def classified(server) -> dict[tuple[str, str, str], float]:
    """By channel, release and label, those of the task `department` that are not 0."""
    line = r'serving_classified_total{channel="(\w+)",label="(\w+)",release="([^"]+)",task="department"} (?!0\.0)(\S+)'
    found = re.findall(line, server.http.get("/metrics").text)
    return {(channel, release, label): float(count) for channel, label, release, count in found}


def test_metrics_count_each_text_by_its_most_probable_label(whole) -> None:
    digest = whole.releases.current.digest
    assert f'label="kitchen",release="{digest}",task="department"}} 0.0' in whole.http.get("/metrics").text
    ask(whole, "/v1/classify", task="department", texts=["red shoes", "a garden hose", "shoes"])
    ask(whole, "/v1/classify", task="department", texts=["garden"])
    assert classified(whole) == {("stable", digest, "shoes"): 2, ("stable", digest, "garden"): 2}


def test_only_answers_that_were_given_are_counted_by_label(whole, monkeypatch) -> None:
    asked = {"task": "department", "texts": ["shoes"]}
    for refused in ({"task": "nothing", "texts": ["a"]}, {"task": "price", "texts": ["a"]}, {"task": "department"}):
        assert whole.http.post("/v1/classify", json=refused).status_code in (404, 422)
    monkeypatch.setattr(whole.releases.current.tasks["department"], "run", lambda sequences: 1 / 0)
    assert whole.http.post("/v1/classify", json=asked).status_code == 500
    assert classified(whole) == {}
    text = whole.http.get("/metrics").text
    assert 'task="nothing"' not in text
    assert 'task="price"' not in text


def test_labels_are_counted_by_who_answered_and_no_longer_told_of_a_release_that_left(
    whole, folder_registry, make_release
) -> None:
    stable, asked = whole.releases.current.digest, {"task": "department", "texts": ["shoes"]}
    canary = whole.canary(folder_registry, make_release("red hat", **PARTS), 50)
    user = next(user for user in map(str, range(100)) if chosen("search", user, 50))
    assert whole.http.post("/v1/classify", json=asked, headers={"serving-user": user}).json()["release"] == canary
    ask(whole, "/v1/classify", **asked)
    assert classified(whole) == {("canary", canary, "shoes"): 1, ("stable", stable, "shoes"): 1}
    folder_registry.promote("search", canary, who="test", why="test")
    whole.releases.poll()
    assert f'release="{stable}"' not in whole.http.get("/metrics").text
    ask(whole, "/v1/classify", **asked)
    assert classified(whole) == {("stable", canary, "shoes"): 1}


def test_a_server_that_computes_nothing_any_more_is_neither_ready_nor_live(serving, monkeypatch) -> None:
    monkeypatch.setattr(Scheduler, "fault", property(lambda self: "a worker ended"))
    ready, live = serving.http.get("/readyz"), serving.http.get("/healthz")
    assert (ready.status_code, ready.json()["ready"], ready.json()["fault"]) == (503, False, "a worker ended")
    assert (live.status_code, live.json()) == (503, {"live": False})
    assert "serving_ready 0.0" in serving.http.get("/metrics").text


def test_readyz_tells_the_kind_of_a_refusal_and_no_path(serving, monkeypatch) -> None:
    refusal = Refusal("sha256-1", "RegistryError: s3://bucket: /var/lib/serving is full")
    monkeypatch.setattr(Releases, "refused", property(lambda self: refusal))
    answer = serving.http.get("/readyz")
    assert answer.json()["refused"] == {"release": "sha256-1", "reason": "RegistryError"}
    assert "bucket" not in answer.text


def test_readyz_tells_of_no_canary(serving) -> None:
    answer = serving.http.get("/readyz").json()
    assert (answer["ready"], answer["canary"], answer["canary_percent"]) == (True, None, 0)
