"""What a release is going to take, against what its files hold."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from model_image.artefact import Manifest, verify
from model_image.layout import CATALOGUE
from model_image.server.backends.dummy import DummyBackend, DummyModel
from model_image.server.releases.memory import Memory
from model_image.server.releases.need import Served, Weights, need, weights
from model_image.server.releases.release import load_release

NUMBERS, LARGEST = 700, 600


def with_weights(folder: Path) -> None:
    tensors = {"large": np.zeros((20, 30), np.float16), "small": np.zeros(100, np.float16)}
    save_file(tensors, folder / "encoder" / "model.safetensors")


@pytest.fixture
def folder(make_release) -> Path:
    made: Path = make_release("red shoes", "blue kettle", break_it=with_weights)
    return made


def others(manifest: Manifest) -> int:
    """Bytes of all files but the weights, and what finding a product takes."""
    return manifest.size - manifest.files["encoder/model.safetensors"].size + 2 * 24


def test_the_weights_of_all_models_count_and_the_vectors_of_the_index_do_not(folder: Path) -> None:
    assert weights(folder) == Weights(NUMBERS, LARGEST)


def test_weights_count_as_wide_as_they_are_served_whatever_their_file_and_the_largest_twice(folder: Path) -> None:
    manifest = verify(folder)
    rest = others(manifest) + 4 * LARGEST
    assert need(folder, manifest, Served(4.0)) == Memory(rest + 4 * NUMBERS)
    assert need(folder, manifest, Served(2.0)) == Memory(rest + 2 * NUMBERS)
    assert need(folder, manifest, Served(2.0, on_device=True)) == Memory(rest, 2 * NUMBERS)


def test_a_damaged_file_of_weights_is_left_to_its_loading(folder: Path) -> None:
    (folder / "encoder" / "model.safetensors").write_bytes(b"\xff" * 50)
    assert weights(folder) == Weights(0, 0)


@pytest.mark.parametrize(
    ("host", "device", "served"),
    [(2 * NUMBERS, 0, Served(2.0)), (0, 2 * NUMBERS, Served(2.0, True)), (9 * NUMBERS, 0, Served(4.0))],
)
def test_a_release_in_service_tells_how_weights_are_served(
    folder: Path, monkeypatch, host: int, device: int, served: Served
) -> None:
    monkeypatch.setattr(DummyModel, "bytes", host)
    monkeypatch.setattr(DummyModel, "device_bytes", device)
    release = load_release(folder, "digest", DummyBackend())
    assert release.served == served
    assert release.memory == Memory(release.index.bytes + release.products.bytes + host, device)


def test_beside_8_bit_integers_on_a_cpu_the_next_release_may_be_as_wide_as_any(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(DummyModel, "bytes", NUMBERS)
    assert load_release(folder, "digest", DummyBackend()).served == Served(1.0)
    monkeypatch.setattr(DummyModel, "mixed", True)
    assert load_release(folder, "digest", DummyBackend()).served == Served(4.0)


def test_a_release_without_weights_tells_nothing_so_the_widest_counts(make_release) -> None:
    folder = make_release("red shoes")
    assert load_release(folder, "digest", DummyBackend()).served == Served(4.0)
    assert (folder / CATALOGUE).exists()
