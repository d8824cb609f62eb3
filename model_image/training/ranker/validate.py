"""Cross-validation: what the rankers gain on queries and on users that nothing was learnt from."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from model_image.embed import Embed
from model_image.release_zero import embedded_text
from model_image.signals.features import FEATURES
from model_image.signals.lexical_build import build_lexical
from model_image.training.dataset import Dataset
from model_image.training.evaluate.rankings import GRADE_GAINS
from model_image.training.ranker import purchasing, searching
from model_image.training.ranker.behaviour import Purchases, learn_behaviour
from model_image.training.ranker.encoded import halved
from model_image.training.ranker.fitting import Settings, fit
from model_image.training.ranker.report import RANKER, Part, scored
from model_image.training.ranker.scoring import Score, scorer
from model_image.training.ranker.tables import Bought, read_bought, read_catalogue, read_graded

FOLDS = 5
MOST_LEARNT = 10_000
"""Users of one cut. A list to learn from takes about 15 KB: half a gigabyte for all cuts, whatever a shop has."""
MOST_SERVED = 2_000
"""Users, of whom two numbers are learnt: halves of 739 differed by .04 in the intercept. A list takes 50 KB."""

Say = Callable[[str], None]
Grid = Sequence[Settings] | None
Runs = defaultdict[str, defaultdict[str, dict[str, dict[str, float]]]]
"""Part to system to unit to products."""


def validate_search(dataset: Dataset, embed: Embed, say: Say, *, grid: Grid = None) -> list[Part]:
    """Folds are of queries, as prepared; everything else that is fitted knows no query at all."""
    catalogue = read_catalogue(dataset)
    ids = [product.product_id for product in catalogue]
    queries = read_graded(dataset, {product: row for row, product in enumerate(ids)})
    shop = searching.SearchShop(build_lexical(catalogue), halved(embed([embedded_text(one) for one in catalogue])))
    vectors = embed([query.text for query in queries])
    everything = np.arange(len(ids))
    runs: Runs = defaultdict(lambda: defaultdict(dict))
    for fold in sorted({query.fold for query in queries}):
        learnt = [at for at, query in enumerate(queries) if query.fold != fold]
        text, settings, trees = fit(
            "search", searching.lists(shop, [queries[at] for at in learnt], vectors[learnt]), grid=grid
        )
        say(f"search fold {fold}: {settings.objective}, {settings.leaves} leaves, {trees} trees")
        score = scorer(text, "search")
        for query, vector in zip(queries, vectors, strict=True):
            if query.fold == fold:
                judged = searching.judged_group(shop, query, vector)
                found = searching.candidate_group(shop, query, vector)
                for part, group, rows in (("reranking", judged, judged.rows), ("whole catalogue", found, everything)):
                    into = runs[part]
                    into[RANKER][query.query_id] = scored(ids, group.rows, score(group.features))
                    for name, values in searching.rules(shop, query, vector, rows).items():
                        into[name][query.query_id] = scored(ids, rows, values)
    truth = {query.query_id: {ids[row]: GRADE_GAINS[grade] for row, grade in query.grades.items()} for query in queries}
    return [Part(f"search, {name}", truth, systems) for name, systems in runs.items()]


def validate_purchases(dataset: Dataset, embed: Embed, say: Say, *, grid: Grid = None) -> list[Part]:
    """Folds are of users, by their hash: tables and ranker are learnt from the others, before the cut."""
    catalogue = read_catalogue(dataset)
    ids = [product.product_id for product in catalogue]
    bought = read_bought(dataset, {product: row for row, product in enumerate(ids)})
    vectors = halved(embed([embedded_text(product) for product in catalogue]))
    part_of = np.array([int(user[16:24], 16) % FOLDS for user in bought.users])
    runs: Runs = defaultdict(lambda: defaultdict(dict))
    truth: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for fold in range(FOLDS):
        others = bought.entries.where(part_of[bought.entries.user] != fold)
        known = others.where(others.day < bought.cut)
        text, settings, trees = fit("recommend", learnt_lists(known, bought.cut, vectors), grid=grid)
        say(f"purchases fold {fold}: {settings.objective}, {settings.leaves} leaves, {trees} trees")
        asked = purchasing.baskets(bought.entries.where(part_of[bought.entries.user] == fold), bought.cut)
        _measure(bought, known, asked, ids, vectors, scorer(text, "recommend"), truth, runs)
    return [Part(f"purchases, {name}", truth[name], runs[name]) for name in ("all", "novel", "cold")]


def learnt_lists(known: Purchases, cut: int, vectors: np.ndarray) -> list[purchasing.Group]:
    """Lists to learn from at several earlier cuts, their baskets all before the day `cut`, tables before their own; of
    MOST_LEARNT users each. Their numbers are in the order of keyed hashes, so the first are a sample by chance."""
    found = []
    for number, back in enumerate(purchasing.CUTS):
        earlier = cut - purchasing.HORIZON - back
        asked = purchasing.baskets(known, earlier)[:MOST_LEARNT]
        behaviour = learn_behaviour(known.where(known.day < earlier), rows=len(vectors), end=earlier)
        found += purchasing.lists(asked, behaviour, vectors, seed=number)
    return found


def served_lists(known: Purchases, cut: int, vectors: np.ndarray) -> list[purchasing.Group]:
    """Lists to calibrate on: whole, as a server ranks them, at the last cut whose baskets are all before the day `cut`;
    of users whose basket has nothing in them too. Of MOST_SERVED users, a sample as above."""
    earlier = cut - purchasing.HORIZON
    behaviour = learn_behaviour(known.where(known.day < earlier), rows=len(vectors), end=earlier)
    asked = purchasing.baskets(known, earlier)[:MOST_SERVED]
    return [purchasing.request(basket, behaviour, vectors) for basket in asked]


def _measure(
    bought: Bought,
    known: Purchases,
    asked: list[purchasing.Basket],
    ids: list[str],
    vectors: np.ndarray,
    score: Score,
    truth: dict[str, dict[str, dict[str, float]]],
    runs: Runs,
) -> None:
    behaviour = learn_behaviour(known, rows=len(ids), end=bought.cut)
    month = np.bincount(known.row[known.day >= bought.cut - 30], minlength=len(ids)).astype(np.float64)
    cold = behaviour.first == 0
    for basket in asked:
        group = purchasing.request(basket, behaviour, vectors)
        plain = purchasing.request(basket, behaviour, vectors, ageless=True)
        systems = {
            RANKER: (group.rows, score(group.features)),
            "without ages": (plain.rows, score(plain.features)),
        }
        for name, values in purchasing.rules(basket, behaviour, month).items():
            systems[name] = (np.arange(len(ids)), values)
        taste = group.features[:, FEATURES["recommend"].index("taste")]
        systems["encoder"] = (group.rows, taste)
        own, user = np.unique(basket.rows), bought.users[basket.user]
        novel = np.setdiff1d(basket.bought, own)
        for part, rows in (("all", basket.bought), ("novel", novel), ("cold", novel[cold[novel]])):
            if len(rows):
                truth[part][user] = {ids[row]: 1.0 for row in rows}
                for name, (candidates, values) in systems.items():
                    kept = np.isin(candidates, own, invert=True) if part != "all" else slice(None)
                    runs[part][name][user] = scored(ids, candidates[kept], values[kept])
