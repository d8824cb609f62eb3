"""What a release says of its rankers' scores: fitted on lists as they are served, by models that did not see them."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from model_image.index import write_index
from model_image.layout import RANKERS
from model_image.server.web.schema import MAX_K
from model_image.signals.calibration import Calibration
from model_image.signals.lexical_build import build_lexical
from model_image.signals.ranker import load_ranker
from model_image.training.data.splits import unseen
from model_image.training.dataset import EVENTS, JUDGMENTS, PREPARED, Dataset
from model_image.training.evaluate import calibration
from model_image.training.evaluate.errors import MeasureError
from model_image.training.ranker import calibrating, fitting, searching, validate
from model_image.training.ranker.behaviour import Purchases
from model_image.training.ranker.build import write_signals
from model_image.training.ranker.fitting import Group, trained
from model_image.training.ranker.purchasing import HORIZON
from model_image.training.ranker.scoring import scorer
from model_image.training.ranker.tables import Graded
from tests.model_image.training.ranker import shop

[SETTINGS] = shop.GRID
WIDTH = len(fitting.FEATURES["recommend"])
TREES = 20


def _lists(units: int = 40, rows: int = 120, *, seed: int = 0) -> list[Group]:
    """Whole lists: what is bought, a twentieth, shows in the first feature."""
    random = np.random.default_rng(seed)
    features = random.random((units, rows, WIDTH), dtype=np.float32)
    bought = (random.random((units, rows)) < 0.2 * features[:, :, 0] ** 3).astype(np.int64)
    return [Group(str(unit), np.arange(rows), features[unit], bought[unit]) for unit in range(units)]


def _drawn(group: Group, others: int = 12) -> Group:
    kept = np.concatenate([np.flatnonzero(group.labels), np.flatnonzero(group.labels == 0)[:others]])
    return Group(group.unit, group.rows[kept], group.features[kept], group.labels[kept])


def test_lists_with_a_draw_of_what_was_not_bought_teach_the_order_and_whole_ones_the_probability() -> None:
    whole = _lists()
    drawn = [_drawn(group) for group in whole]
    right = calibrating.calibrate("recommend", drawn, whole, SETTINGS, TREES)
    wrong = calibrating.calibrate("recommend", drawn, drawn, SETTINGS, TREES)
    score = scorer(trained("recommend", drawn, SETTINGS, TREES), "recommend")
    later = _lists(seed=1)
    best = [np.argsort(-score(group.features), kind="stable")[: calibrating.MOST] for group in later]
    scores = np.concatenate([score(group.features[at]) for group, at in zip(later, best, strict=True)])
    came = np.mean([group.labels[at].mean() for group, at in zip(later, best, strict=True)])
    assert right.probability(scores).mean() == pytest.approx(came, rel=0.15)
    assert wrong.probability(scores).mean() > 2 * came, "else drawing others would do no harm"


def test_no_unit_is_calibrated_on_by_trees_that_learnt_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    fit = calibration.fit

    def spied(scores: np.ndarray, truth: np.ndarray, **named: str) -> Calibration:
        seen.append(scores)
        return fit(scores, truth, **named)

    monkeypatch.setattr(calibration, "fit", spied)
    lists = _lists()
    one = lists[0]
    other = Group(one.unit, one.rows, one.features, 1 - one.labels)
    for learnt in (one, other):
        calibrating.calibrate("recommend", [learnt, *lists[1:]], lists, SETTINGS, TREES)
    before, after = (scores.reshape(len(lists), calibrating.MOST) for scores in seen)
    order = [group for fold in range(2) for group in lists if fitting.parts(lists, 2)[group.unit] == fold]
    same = {group.unit for group, b, a in zip(order, before, after, strict=True) if (b == a).all()}
    assert same == {unit for unit, part in fitting.parts(lists, 2).items() if part == fitting.parts(lists, 2)[one.unit]}


def test_too_few_right_ones_are_no_calibration() -> None:
    lists = [Group(g.unit, g.rows, g.features, (g.rows == 0).astype(np.int64)) for g in _lists(units=19)]
    with pytest.raises(MeasureError, match="17 of 1900 products are right, expected 20 at least"):
        calibrating.calibrate("recommend", lists, lists, SETTINGS, TREES)


def test_as_many_are_calibrated_on_as_a_server_gives_at_most() -> None:
    assert calibrating.MOST == MAX_K


def test_a_search_is_calibrated_on_what_was_judged_of_what_it_finds(tmp_path: Path) -> None:
    vectors = shop.vectors()
    learnt = searching.SearchShop(build_lexical(shop.products()), vectors)
    judged = Graded("q", "red lamp", 1, {0: 3, 1: 1, 7: 0})
    [group] = searching.served(learnt, [judged], shop.embed(["red lamp"]))
    assert (group.rows.tolist(), group.labels.tolist()) == ([0, 1, 7], [3, 1, 0])
    whole = searching.candidate_group(learnt, judged, shop.embed(["red lamp"])[0])
    assert len(whole.rows) > 3
    assert group.features.tobytes() == whole.features[[0, 1, 7]].tobytes()


def test_users_are_calibrated_on_all_that_a_server_ranks_for_them_whatever_they_bought() -> None:
    entries = [(user, 90 - HORIZON - 5 + step, (user + step) % 30) for user in range(12) for step in range(3)]
    entries += [(user, 80, 29 if user else 1) for user in range(12)]
    table = np.array(sorted(entries), dtype=np.int64)
    found = validate.served_lists(Purchases(table[:, 0], table[:, 2], table[:, 1]), 90, shop.vectors())
    assert [group.unit for group in found] == [str(user) for user in range(12)]
    assert min(len(group.rows) for group in found) == 30, "all of so small a catalogue"
    assert found[0].labels.nonzero()[0].tolist() == [1]


def _calibrated(dataset: Dataset, folder: Path, said: list[str]) -> dict[str, bytes]:
    folder.mkdir()
    write_index(folder, shop.vectors())
    write_signals(folder, shop.products(), dataset, embed=shop.embed, grid=shop.GRID, say=said.append)
    return {path.name: path.read_bytes() for path in (folder / RANKERS).iterdir()}


def test_a_release_is_calibrated_from_what_may_be_learnt_alone_and_each_time_the_same(tmp_path: Path) -> None:
    dataset = shop.prepare(tmp_path / "prepared")
    path = dataset.folder / PREPARED
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), "hold_fold": 0}))
    dataset, said = Dataset(dataset.folder), list[str]()
    before = _calibrated(dataset, tmp_path / "before", said)
    for task in ("search", "recommend"):
        found = load_ranker(tmp_path / "before" / RANKERS, task).calibration
        assert found is not None
        assert found.count >= 500
    assert sum("scores by models that did not learn from them" in text for text in said) == 2
    judgments = parquet.read_table(dataset.path(JUDGMENTS)).to_pylist()
    for row in judgments:
        row["grade"] = 3 - row["grade"] if int(row["query_id"][1:]) % 5 == 0 else row["grade"]
    parquet.write_table(pa.Table.from_pylist(judgments), dataset.path(JUDGMENTS))
    events = parquet.read_table(dataset.path(EVENTS))
    changed = [
        {**row, "product_id": "p0"} if row["time"] >= shop.CUT or unseen(row["user"], 20) else row
        for row in events.to_pylist()
    ]
    assert changed != events.to_pylist()
    parquet.write_table(pa.Table.from_pylist(changed, events.schema), dataset.path(EVENTS))
    assert _calibrated(dataset, tmp_path / "after", said) == before


def test_a_ranker_that_cannot_be_calibrated_is_there_without_and_it_is_told_why(tmp_path: Path) -> None:
    dataset, said = shop.prepare(tmp_path / "prepared", days=(181, 240), queries=10), list[str]()
    assert _calibrated(dataset, tmp_path / "release", said).keys() == {"search.txt", "search.json"}
    assert load_ranker(tmp_path / "release" / RANKERS, "search").calibration is None
    assert "search: no probabilities: search: 16 of 300 products are right, expected 20 at least" in said[1]
    assert "judge more queries outside the fold held out" in said[1]


def test_an_encoder_that_was_tuned_on_the_same_gives_rankers_and_no_probabilities(tmp_path: Path) -> None:
    said = list[str]()
    write_index(tmp_path, shop.vectors())
    dataset = shop.prepare(tmp_path / "prepared")
    write_signals(tmp_path, shop.products(), dataset, embed=shop.embed, grid=shop.GRID, say=said.append, tuned=True)
    for task in ("search", "recommend"):
        assert load_ranker(tmp_path / RANKERS, task).calibration is None
        assert f"{task}: no probabilities: the encoder was tuned on what they would be fitted on" in said
