from pathlib import Path

import lightgbm
import msgspec
import numpy as np
import pytest

from model_image.signals.calibration import SCHEMA, Calibration
from model_image.signals.errors import SignalsError
from model_image.signals.features import SEARCH_FEATURES
from model_image.signals.ranker import load_ranker, save_ranker

WIDTH = len(SEARCH_FEATURES)
CALIBRATION = Calibration(schema=SCHEMA, task="search", event="exact match", slope=0.7, intercept=-0.2, count=99)


class Earlier(msgspec.Struct):
    """What servers from before there were calibrations read of search.json."""

    task: str
    version: int
    features: tuple[str, ...]
    digest: str


def trees(width: int = WIDTH) -> str:
    random = np.random.default_rng(0)
    features = random.random((200, width))
    data = lightgbm.Dataset(features, (features[:, 0] > 0.5).astype(int), group=[20] * 10)
    parameters = {"objective": "lambdarank", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}
    text: str = lightgbm.train(parameters, data, 5).model_to_string()
    return text


@pytest.fixture(scope="module")
def text() -> str:
    return trees()


def test_a_ranker_scores_as_its_trees_do(tmp_path: Path, text: str) -> None:
    save_ranker(tmp_path, "search", text)
    features = np.random.default_rng(1).random((30, WIDTH), dtype=np.float32)
    ranker = load_ranker(tmp_path, "search")
    found = ranker.predict(features)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, lightgbm.Booster(model_str=text).predict(features).astype(np.float32))
    assert ranker.predict(features[:0]).shape == (0,)
    assert ranker.bytes > len(text)


@pytest.mark.parametrize(
    ("field", "value"), [("features", ["cosine", "other"]), ("version", 0), ("task", "recommend"), ("digest", "00")]
)
def test_a_description_that_differs_from_the_code_or_the_trees_is_refused(
    tmp_path: Path, text: str, field: str, value: object
) -> None:
    save_ranker(tmp_path, "search", text)
    path = tmp_path / "search.json"
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), field: value}))
    with pytest.raises(SignalsError, match=r"search\.json"):
        load_ranker(tmp_path, "search")


@pytest.mark.parametrize("name", ["search.txt", "search.json"])
def test_a_missing_file_is_refused(tmp_path: Path, text: str, name: str) -> None:
    save_ranker(tmp_path, "search", text)
    (tmp_path / name).unlink()
    with pytest.raises(SignalsError, match="not a ranker"):
        load_ranker(tmp_path, "search")


def test_trees_that_were_changed_on_the_way_are_refused(tmp_path: Path, text: str) -> None:
    save_ranker(tmp_path, "search", text)
    (tmp_path / "search.txt").write_text(text.replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(SignalsError, match=r"digest of search\.txt"):
        load_ranker(tmp_path, "search")


@pytest.mark.parametrize("damaged", ["", "not trees", "tree\nversion=v4\n"])
def test_what_is_not_lightgbms_text_is_refused(tmp_path: Path, damaged: str) -> None:
    save_ranker(tmp_path, "search", damaged)
    with pytest.raises(SignalsError):
        load_ranker(tmp_path, "search")


def test_trees_of_other_features_and_features_of_another_width_are_refused(tmp_path: Path, text: str) -> None:
    save_ranker(tmp_path, "search", trees(WIDTH - 1))
    with pytest.raises(SignalsError, match=f"of {WIDTH - 1} features"):
        load_ranker(tmp_path, "search")
    save_ranker(tmp_path, "search", text)
    with pytest.raises(SignalsError, match=r"shape \(3, 2\)"):
        load_ranker(tmp_path, "search").predict(np.zeros((3, 2), dtype=np.float32))


def test_a_calibration_is_kept_beside_the_trees_and_servers_from_before_read_past_it(tmp_path: Path, text: str) -> None:
    save_ranker(tmp_path, "search", text)
    plain = (tmp_path / "search.json").read_bytes()
    assert load_ranker(tmp_path, "search").calibration is None
    save_ranker(tmp_path, "search", text, CALIBRATION)
    assert load_ranker(tmp_path, "search").calibration == CALIBRATION
    calibrated = (tmp_path / "search.json").read_bytes()
    assert b"calibration" not in plain, "without one, a release has the bytes that it had"
    assert msgspec.json.decode(calibrated, type=Earlier) == msgspec.json.decode(plain, type=Earlier)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slope", "0"),
        ("slope", "-0.7"),
        ("slope", "1e999"),
        ("intercept", "-1e999"),
        ("intercept", "null"),
        ("schema", "2"),
        ("task", '"recommend"'),
        ("event", '"purchase"'),
    ],
)
def test_a_calibration_that_gives_no_probability_of_this_ranker_is_refused(
    tmp_path: Path, text: str, field: str, value: str
) -> None:
    save_ranker(tmp_path, "search", text, CALIBRATION)
    path = tmp_path / "search.json"
    described = msgspec.json.decode(path.read_bytes())
    described["calibration"][field] = msgspec.Raw(value.encode())
    path.write_bytes(msgspec.json.encode(described))
    with pytest.raises(SignalsError, match=r"search\.json.*train the release again"):
        load_ranker(tmp_path, "search")
