"""What examples may be made of: the one place that leaves out targets, unseen users and the fold that is held out.

Views of the engine for the rest of `data` to read; nothing else here reads events, queries or judgments.
    texts         product_id, category, text (what a model reads of the product), place (from 0, by product_id)
    asked         query_id, query, words, part: of all folds but the one held out
    graded        query_id, product_id, grade: of those queries
    purchases     user, day, product_id: before the cut, by users that are not unseen, each once
    popular       product_id, users: how many of them bought it
"""

from datetime import datetime

from model_image.training.data import splits
from model_image.training.data.engine import Engine
from model_image.training.data.settings import Settings
from model_image.training.data.sql import literal


def define(engine: Engine, tables: frozenset[str], settings: Settings, cut: datetime | None) -> None:
    """Make the views; of tables that were not given they are empty."""
    if "products" in tables:
        engine.rows(
            "CREATE TABLE texts AS SELECT product_id, category, product_text(title, category) AS text, "
            "row_number() OVER () - 1 AS place FROM products"  # the file is in this order already
        )
    if "queries" in tables:
        held = "true" if settings.hold_fold is None else f"fold <> {settings.hold_fold}"
        engine.rows(
            "CREATE TABLE asked AS SELECT *, part(words) AS part FROM "
            f"(SELECT query_id, query, words(query) AS words FROM queries WHERE {held})"
        )
    else:
        engine.rows("CREATE TABLE asked (query_id VARCHAR, query VARCHAR, words VARCHAR, part VARCHAR)")
    if "judgments" in tables:
        engine.rows("CREATE VIEW graded AS SELECT * FROM judgments WHERE query_id IN (SELECT query_id FROM asked)")
    else:
        engine.rows("CREATE TABLE graded (query_id VARCHAR, product_id VARCHAR, grade BIGINT)")
    if "events" in tables and cut is not None:
        engine.rows(
            'CREATE TABLE purchases AS SELECT DISTINCT "user", "time"::TIMESTAMP::DATE AS day, product_id FROM events '
            f'WHERE action = {literal(settings.purchase)} AND "time" < TIMESTAMPTZ {literal(cut.isoformat() + "Z")} '
            f"AND NOT {splits.UNSEEN.format(percent=settings.unseen_percent)}"
        )
    else:
        engine.rows('CREATE TABLE purchases ("user" VARCHAR, day DATE, product_id VARCHAR)')
    engine.rows(
        'CREATE VIEW popular AS SELECT product_id, count(DISTINCT "user") AS users FROM purchases GROUP BY product_id'
    )
