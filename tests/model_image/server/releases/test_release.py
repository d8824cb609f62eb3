"""What a release folder must be to be loaded, and that nothing of a refused one stays in memory."""

from pathlib import Path

import numpy as np
import pytest

from model_image.server.backends.dummy import DummyBackend
from model_image.server.releases.memory import Memory
from model_image.server.releases.release import BadReleaseError, load_release
from model_image.settings import ModelError, ModelSettings

TASKS = {
    "brand": ModelSettings(head="classify", labels=("acme", "other"), max_tokens=32),
    "price": ModelSettings(head="regress", max_tokens=32),
}


class Backend(DummyBackend):
    """Counts what is loaded and closed; `spoil` changes the answers of the model whose folder has that name."""

    def __init__(self, spoiled: str = "", spoil=lambda rows: rows, fails: str = "") -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.closed: list[str] = []
        self._spoiled, self._spoil, self._fails = spoiled, spoil, fails

    def load(self, folder: Path):
        if folder.name == self._fails:
            raise ModelError(f"{folder}: no weights")
        model, name = super().load(folder), folder.name
        run = model.run
        if name == self._spoiled:
            model.run = lambda sequences: self._spoil(run(sequences))
        model.close = lambda: self.closed.append(name)
        self.loaded.append(name)
        return model


@pytest.fixture
def folder(make_release) -> Path:
    made: Path = make_release("red shoes", "blue kettle", cross_encoder=True, tasks=TASKS)
    return made


def test_a_release_has_all_the_parts_of_its_folder(folder: Path) -> None:
    release = load_release(folder, "digest", DummyBackend())
    assert release.cross_encoder.settings.head == "rank"
    assert {name: task.settings.head for name, task in release.tasks.items()} == {
        "brand": "classify",
        "price": "regress",
    }
    assert (len(release.index), len(release.products)) == (2, 2)
    assert release.memory == Memory(release.index.bytes + release.products.bytes)


def test_parts_may_be_missing_but_the_encoder(make_release) -> None:
    release = load_release(make_release("red shoes"), "digest", DummyBackend())
    assert (release.cross_encoder, release.tasks) == (None, {})


def test_a_closed_release_closes_each_model_and_tells_before(folder: Path) -> None:
    backend, told = Backend(), []
    release = load_release(folder, "digest", backend, forget=lambda model: told.append(len(backend.closed)))
    release.close()
    assert backend.closed == backend.loaded == ["encoder", "cross_encoder", "brand", "price"]
    assert told == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["encoder", "cross_encoder", "brand", "price"])
@pytest.mark.parametrize(
    "spoil",
    [lambda rows: rows * np.nan, lambda rows: rows * np.inf, lambda rows: rows[:1], lambda rows: rows[:, :0]],
    ids=["nan", "infinite", "too few", "no numbers"],
)
def test_a_model_that_answers_nonsense_is_refused_and_all_are_closed(folder: Path, name: str, spoil) -> None:
    backend = Backend(name, spoil)
    with pytest.raises(BadReleaseError, match=name), np.errstate(invalid="ignore", divide="ignore"):
        load_release(folder, "digest", backend)
    assert sorted(backend.closed) == sorted(backend.loaded)


def test_what_was_loaded_before_a_part_that_fails_is_closed(folder: Path) -> None:
    backend = Backend(fails="price")
    with pytest.raises(BadReleaseError, match="no weights"):
        load_release(folder, "digest", backend)
    assert backend.closed == ["encoder", "cross_encoder", "brand"]


def test_cheap_checks_come_before_the_long_loading(folder: Path) -> None:
    backend = Backend()
    (folder / "catalogue.jsonl").write_bytes(b'{"id": "1", "title": "a"}\n{"id": "1", "title": "b"}\n')
    with pytest.raises(BadReleaseError, match="line 2: line 1 has the id '1' already"):
        load_release(folder, "digest", backend)
    assert backend.loaded == []
