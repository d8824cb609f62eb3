"""Puts the signals and the fitted rankers into a release folder, beside the encoder and the index."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from model_image.catalogue import Product
from model_image.embed import Embed
from model_image.layout import BEHAVIOUR, ENCODER, INDEX, LEXICAL, RANKERS
from model_image.signals.behaviour import save_behaviour
from model_image.signals.lexical_build import build_lexical, save_lexical
from model_image.signals.ranker import save_ranker
from model_image.training.dataset import EVENTS, JUDGMENTS, Dataset
from model_image.training.evaluate.errors import MeasureError
from model_image.training.ranker import purchasing, searching
from model_image.training.ranker.behaviour import Purchases, learn_behaviour
from model_image.training.ranker.calibrating import calibrate
from model_image.training.ranker.encoded import encoder
from model_image.training.ranker.fitting import Group, TooLittleError, fit
from model_image.training.ranker.known import known_purchases
from model_image.training.ranker.tables import read_graded
from model_image.training.ranker.validate import Grid, Say, learnt_lists, served_lists


def write_signals(
    folder: Path,
    products: Sequence[Product],
    dataset: Dataset | None,
    *,
    embed: Embed | None = None,
    grid: Grid = None,
    say: Say = print,
    tuned: bool = False,
) -> list[str]:
    """Write lexical/ and, where `dataset` has them, rankers/search.* from its judgments, behaviour.safetensors and
    rankers/recommend.* from its purchases before the cut. Returns what was written, as paths inside `folder`.

    A ranker that has too little to learn from is left out, `say` tells what is missing: the release then answers that
    question without it. A ranker whose scores cannot be calibrated is written without, and answers no probability;
    nor does one that reads an encoder that was `tuned` on these judgments and purchases: its cosines are those of what
    was learnt by heart, and probabilities fitted on them would be too sure.

    `products` are in the order of the folder's catalogue and index, which must be there; `embed` is for the queries and
    by default the folder's own encoder, `grid` as in `fit`. The fold and the users that the dataset holds back teach
    nothing. Raises `DatasetError`, and ValueError where products and index differ.
    """
    vectors = load_file(folder / INDEX)["embeddings"].astype(np.float32)
    if len(vectors) != len(products):
        raise ValueError(f"products: {len(products)}, the index has {len(vectors)}; give those it was built from")
    lexical = build_lexical(products)
    save_lexical(lexical, folder / LEXICAL)
    written = [LEXICAL]
    rows = {product.product_id: row for row, product in enumerate(products)}
    if dataset is not None and dataset.has(JUDGMENTS):
        held = dataset.prepared.hold_fold
        queries = [query for query in read_graded(dataset, rows) if query.fold != held]
        asked = (embed or encoder(folder / ENCODER))([query.text for query in queries]) if queries else vectors[:0]
        shop, ways = searching.SearchShop(lexical, vectors), "judge more queries outside the fold held out"
        served = partial(searching.served, shop, queries, asked)
        if _fit(folder, "search", searching.lists(shop, queries, asked), None if tuned else served, grid, say, ways):
            written.append(f"{RANKERS}/search.txt")
    if dataset is not None and dataset.has(EVENTS):
        known, cut = known_purchases(dataset, rows)
        served = partial(served_lists, known, cut, vectors)
        if _fit(
            folder,
            "recommend",
            learnt_lists(known, cut, vectors),
            None if tuned else served,
            grid,
            say,
            _days(known, cut),
        ):
            save_behaviour(learn_behaviour(known, rows=len(products), end=cut), folder / BEHAVIOUR)
            written += [BEHAVIOUR, f"{RANKERS}/recommend.txt"]
    return written


def _fit(
    folder: Path,
    task: str,
    groups: list[Group],
    served: Callable[[], list[Group]] | None,
    grid: Grid,
    say: Say,
    ways: str,
) -> bool:
    """Whether there was enough to fit on; `served` are lists to calibrate on, if any, `ways` says how to have more."""
    try:
        text, settings, trees = fit(task, groups, grid=grid)
    except TooLittleError as error:
        say(f"{task}: no ranker: {error}; {ways}")
        return False
    say(f"{task}: {len(groups)} lists, {settings.objective}, {settings.leaves} leaves, {trees} trees")
    calibration = None
    if served is None:
        say(f"{task}: no probabilities: the encoder was tuned on what they would be fitted on")
    else:
        try:
            calibration = calibrate(task, groups, served(), settings, trees)
            say(f"{task}: calibrated on {calibration.count:,} scores by models that did not learn from them")
        except MeasureError as error:
            say(f"{task}: no probabilities: {error}; {ways}")
    save_ranker(folder / RANKERS, task, text, calibration)
    return True


def _days(known: Purchases, cut: int) -> str:
    before = cut - int(known.day.min()) if len(known.day) else 0
    return (
        f"purchases reach back {before} days before the cut, users count who bought again in its last "
        f"{purchasing.HORIZON} days after a purchase before them; wait for more, or prepare with a later --cut"
    )
