"""A backend that is lost while a release is brought: a fault of this process, and no refusal of that release."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_image.server.backends.dummy import DummyBackend, DummyModel
from model_image.server.errors import BackendLostError
from model_image.server.releases.gate import Gate


def lost(*given: Any, **options: Any) -> Any:
    raise BackendLostError("the context is gone")


def in_load(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DummyBackend, "load", lost)


def in_the_first_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DummyModel, "run", lost)


def in_the_gate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gate, "check", lost)


@pytest.mark.parametrize("where", [in_load, in_the_first_answer, in_the_gate])
def test_a_backend_lost_beside_a_release_in_service_ends_the_process_and_refuses_nothing(
    serving, folder_registry, make_release, monkeypatch, where: Callable[[pytest.MonkeyPatch], None]
) -> None:
    before = serving.releases.current.digest
    folder = make_release("red hat")
    where(monkeypatch)
    serving.promote(folder_registry, folder)
    alive, ready = serving.http.get("/healthz"), serving.http.get("/readyz")
    assert (alive.status_code, ready.status_code) == (503, 503)
    answer = ready.json()
    assert (answer["fault"], answer["refused"]) == ("the backend is lost", None)
    assert answer["release"] == before
    exposed = serving.http.get("/metrics").text
    assert "serving_release_refused_total 0.0" in exposed
    assert "serving_release_refused_info{" not in exposed


def test_a_backend_lost_to_the_first_release_is_a_fault_too_and_stays_one(
    server, folder_registry, make_release, monkeypatch
) -> None:
    folder: Path = make_release("red hat")
    with monkeypatch.context() as patch:
        in_load(patch)
        server.promote(folder_registry, folder)
    server.releases.poll()
    assert server.http.get("/healthz").status_code == 503
    assert server.http.get("/readyz").json()["fault"] == "the backend is lost"


def test_a_model_that_fails_otherwise_is_the_fault_of_its_release(
    serving, folder_registry, make_release, monkeypatch
) -> None:
    def broken(*given: Any) -> Any:
        raise RuntimeError("no kernel")

    folder = make_release("red hat")
    monkeypatch.setattr(DummyBackend, "load", broken)
    refused = serving.promote(folder_registry, folder)
    assert serving.http.get("/healthz").status_code == 200
    assert serving.http.get("/readyz").json()["refused"] == {"release": refused, "reason": "RuntimeError"}
    assert f'serving_release_refused_info{{reason="RuntimeError",release="{refused}"}} 1.0' in (
        serving.http.get("/metrics").text
    )
