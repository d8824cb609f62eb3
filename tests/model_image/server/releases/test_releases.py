import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from model_image.artefact import verify
from model_image.instance.server import samples, start_ends
from model_image.server.releases import releases as releases_module
from model_image.server.releases import retry


def search(server, query: str = "red"):
    return server.http.post("/v1/search", json={"query": query, "k": 1})


def test_the_server_is_live_but_not_ready_until_the_channel_names_a_release(
    server, folder_registry, make_release
) -> None:
    assert server.http.get("/healthz").status_code == 200
    response = server.http.get("/readyz")
    assert response.status_code == 503
    assert (response.json()["ready"], response.json()["release"]) == (False, None)
    refused = search(server)
    assert (refused.status_code, refused.json()["error"]["type"]) == (503, "not_ready")
    assert refused.headers["serving-release"] == "none"
    folder_registry.publish(make_release("red shoes"))
    server.releases.poll()
    assert server.http.get("/readyz").status_code == 503
    digest = server.promote(folder_registry, make_release("blue shoes"))
    ready = server.http.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True,
        "release": digest,
        "image": "models@sha256:1",
        "site": "onprem",
        "slot": "stable",
        "canary": None,
        "canary_percent": 0,
        "refused": None,
        "fault": None,
        "registry": "reachable",
    }


def test_a_server_takes_a_release_by_itself(start, folder_registry, make_release) -> None:
    digest = folder_registry.publish(make_release("red shoes"))
    folder_registry.promote("search", digest, who="test", why="")
    with start(poll_seconds=0.05) as server:
        tries = (server.http.get("/readyz").status_code for _ in range(100_000))
        assert next(status for status in tries if status == 200)
        assert search(server).json()["release"] == digest


def test_a_promoted_release_replaces_the_one_before(serving, folder_registry, make_release) -> None:
    digest = serving.promote(folder_registry, make_release("red hat"))
    assert search(serving).json()["release"] == digest
    assert search(serving).json()["results"][0]["title"] == "red hat"


def test_the_start_is_timed_by_the_first_release_and_no_later_one(serving, folder_registry, make_release) -> None:
    start = start_ends(samples(serving.http.get("/metrics").text))
    assert 0 < start["weights"] <= start["warm-up"]
    serving.promote(folder_registry, make_release("red hat"))
    assert start_ends(samples(serving.http.get("/metrics").text)) == start


def settings(**changes: object) -> bytes:
    return json.dumps({"head": "embed", "pooling": "mean", "max_tokens": 32, "dimension": 64} | changes).encode()


def unknown_pooling(folder: Path) -> None:
    (folder / "encoder" / "settings.json").write_bytes(settings(pooling="other"))


def other_dimension(folder: Path) -> None:
    (folder / "encoder" / "settings.json").write_bytes(settings(dimension=65))


def an_encoder_that_ranks(folder: Path) -> None:
    (folder / "encoder" / "settings.json").write_bytes(settings(head="rank"))


def a_cross_encoder_that_embeds(folder: Path) -> None:
    (folder / "cross_encoder" / "settings.json").write_bytes(settings())


def a_task_that_embeds(folder: Path) -> None:
    (folder / "tasks" / "brand").mkdir(parents=True)
    (folder / "tasks" / "brand" / "settings.json").write_bytes(settings())


def no_index(folder: Path) -> None:
    (folder / "index.safetensors").unlink()


def damaged_index(folder: Path) -> None:
    (folder / "index.safetensors").write_bytes(b"\xff" * 100)


def damaged_approximate_index(folder: Path) -> None:
    (folder / "index.faiss").write_bytes(b"\xff" * 100)


def vectors_that_are_no_numbers(folder: Path) -> None:
    save_file({"embeddings": np.full((1, 64), np.nan, dtype=np.float16)}, folder / "index.safetensors")


def fewer_products(folder: Path) -> None:
    (folder / "catalogue.jsonl").write_bytes(b"")


def broken_products(folder: Path) -> None:
    (folder / "catalogue.jsonl").write_bytes(b"{\n")


BAD = {
    unknown_pooling: "settings.json",
    other_dimension: "vectors of 64, but the encoder gives 65",
    an_encoder_that_ranks: "encoder: its head is 'rank', expected embed",
    a_cross_encoder_that_embeds: "cross_encoder: its head is 'embed', expected rank",
    a_task_that_embeds: "tasks/brand: its head is 'embed', expected classify or regress",
    no_index: "index.safetensors: not an index",
    damaged_index: "index.safetensors: not an index",
    damaged_approximate_index: "index.faiss: not an index",
    vectors_that_are_no_numbers: "finite numbers",
    fewer_products: "0 products, but index.safetensors has 1",
    broken_products: "line 1: ",
}


@pytest.mark.parametrize("break_it", BAD, ids=lambda function: function.__name__)
def test_a_bad_release_never_replaces_a_good_one_and_is_reported(
    serving, folder_registry, make_release, break_it
) -> None:
    good = serving.releases.current.digest
    bad = serving.promote(folder_registry, make_release("red hat", cross_encoder=True, break_it=break_it))
    assert search(serving).json()["release"] == good
    answer = serving.http.get("/readyz")
    assert (answer.status_code, answer.json()["release"]) == (200, good)
    assert answer.json()["refused"]["release"] == bad
    assert BAD[break_it] in serving.releases.refused.reason
    assert "serving_release_refused_total 1.0" in serving.http.get("/metrics").text


def test_a_release_after_a_bad_one_is_taken_and_the_report_ends(serving, folder_registry, make_release) -> None:
    serving.promote(folder_registry, make_release("red hat", break_it=no_index))
    digest = serving.promote(folder_registry, make_release("red scarf"))
    answer = serving.http.get("/readyz").json()
    assert (answer["release"], answer["refused"]) == (digest, None)


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-1] + b"?"], ids=["short", "altered"])
def test_a_download_with_wrong_bytes_is_refused(serving, folder_registry, make_release, tmp_path, damage) -> None:
    good = serving.releases.current.digest
    folder = make_release("red hat")
    digest = folder_registry.publish(folder)
    stored = tmp_path / "registry" / "releases" / "search" / digest / "index.safetensors"
    stored.write_bytes(damage(stored.read_bytes()))
    folder_registry.promote("search", digest, who="test", why="")
    serving.releases.poll()
    assert search(serving).json()["release"] == good
    assert serving.releases.refused.release == digest
    assert "index.safetensors" in serving.releases.refused.reason


def test_a_wrong_digest_is_refused(serving, folder_registry, make_release, tmp_path) -> None:
    good = serving.releases.current.digest
    folder = make_release("red hat")
    digest = folder_registry.publish(folder)
    stored = tmp_path / "registry" / "releases" / "search"
    folder_registry.promote("search", digest, who="test", why="")
    shutil.rmtree(stored / digest)
    shutil.copytree(stored / good, stored / digest)
    serving.releases.poll()
    assert serving.releases.current.digest == good
    assert serving.releases.refused.release == digest


def test_a_refused_release_is_tried_again_later_and_not_at_every_poll(
    serving, folder_registry, make_release, monkeypatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(serving.releases._refusals._retries, "_clock", lambda: now)
    serving.promote(folder_registry, make_release("red hat", break_it=no_index))
    serving.releases.poll()
    assert "serving_release_refused_total 1.0" in serving.http.get("/metrics").text
    now += retry.SOON_SECONDS
    serving.releases.poll()
    assert "serving_release_refused_total 2.0" in serving.http.get("/metrics").text


def test_an_unreachable_registry_changes_nothing_and_is_logged_once(serving, tmp_path, caplog) -> None:
    (tmp_path / "registry").rename(tmp_path / "away")
    for _ in range(3):
        serving.releases.poll()
    assert search(serving).status_code == 200
    answer = serving.http.get("/readyz")
    assert (answer.status_code, answer.json()["registry"]) == (200, "unreachable")
    (tmp_path / "away").rename(tmp_path / "registry")
    for _ in range(3):
        serving.releases.poll()
    assert serving.http.get("/readyz").json()["registry"] == "reachable"
    events = [record.message for record in caplog.records if "registry" in record.message]
    assert events == ["registry unreachable, serving what is here", "registry answers again"]


def test_requests_during_a_swap_are_answered_by_exactly_one_release(
    serving, folder_registry, make_release, monkeypatch
) -> None:
    """A request that began before the swap ends on the old release, also when it is computed after it."""
    old = serving.releases.current
    entered, gate = threading.Event(), threading.Event()
    original = old.encoder.run

    def slow(sequences):
        entered.set()
        assert gate.wait(10)
        return original(sequences)

    monkeypatch.setattr(old.encoder, "run", slow)
    monkeypatch.setattr("model_image.server.releases.gate.Gate.check", lambda *releases: None)  # it would wait as well
    with ThreadPoolExecutor(8) as threads:
        before = [threads.submit(search, serving) for _ in range(4)]
        assert entered.wait(10)
        new = serving.promote(folder_registry, make_release("red hat"))
        after = [threads.submit(search, serving) for _ in range(4)]
        gate.set()
        answers = [future.result() for future in before + after]
    assert {answer.status_code for answer in answers} == {200}
    titles = {old.digest: "red running shoes", new: "red hat"}
    for answer in answers:
        body = answer.json()
        assert answer.headers["serving-release"] == body["release"]
        assert body["results"][0]["title"] == titles[body["release"]]
    assert {future.result().json()["release"] for future in after} == {new}
    assert old.digest in {future.result().json()["release"] for future in before}


def test_no_request_fails_while_one_release_after_another_is_swapped_in(serving, folder_registry, make_release) -> None:
    stop, known = threading.Event(), {serving.releases.current.digest}

    def ask() -> list:
        answers = [search(serving)]
        while not stop.is_set() and len(answers) < 1000:
            answers.append(search(serving))
        return answers

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        for name in ("hat", "scarf", "coat", "gloves"):
            known.add(serving.promote(folder_registry, make_release(f"red {name}")))
        stop.set()
        answers = [answer for future in asking for answer in future.result()]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["release"] for answer in answers} <= known
    assert search(serving).json()["release"] == serving.releases.current.digest


def test_a_registry_that_does_not_answer_holds_up_no_exit(start, monkeypatch) -> None:
    monkeypatch.setattr(releases_module, "_STOP_SECONDS", 0.01)
    asked, never = threading.Event(), threading.Event()

    def hang(*arguments: object, **options: object) -> None:
        asked.set()
        never.wait(30)

    monkeypatch.setattr("model_image.registry.Registry.channel", hang)
    with start() as server:
        assert asked.wait(10)
        assert server.http.get("/healthz").status_code == 200
    assert not never.is_set()
    never.set()


def test_only_the_release_in_service_and_the_one_before_stay_on_disk(
    serving, folder_registry, make_release, tmp_path
) -> None:
    (tmp_path / "served" / "releases" / "search" / ".download-left").mkdir()
    second = serving.promote(folder_registry, make_release("red hat"))
    third = serving.promote(folder_registry, make_release("red scarf"))
    kept = tmp_path / "served" / "releases" / "search"
    assert {folder.name for folder in kept.iterdir()} == {second, third}
    assert verify(kept / third, third)


def test_a_draining_server_is_not_ready_and_still_answers(serving) -> None:
    serving.lifecycle.draining = True
    assert serving.http.get("/readyz").status_code == 503
    assert serving.http.get("/healthz").status_code == 200
    assert search(serving).status_code == 200


def test_a_draining_server_asks_its_clients_to_connect_elsewhere(serving) -> None:
    assert "connection" not in search(serving).headers
    serving.lifecycle.draining = True
    assert search(serving).headers["connection"] == "close"


def test_a_channel_that_cannot_be_read_is_counted_once_and_not_at_every_poll(serving, tmp_path) -> None:
    (tmp_path / "registry" / "channels" / "search.json").write_bytes(b"{")
    for _ in range(3):
        serving.releases.poll()
    assert "serving_release_refused_total 1.0" in serving.http.get("/metrics").text
    assert serving.releases.refused.reason.startswith("ChannelError: ")
