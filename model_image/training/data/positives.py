"""What belongs together: queries and the products graded best for them, products and those of the next basket.

A basket is what a user bought on one day (UTC). Of a large one 16 products take part, of a user a capped number of
pairs: a wholesaler with thousands of lines would otherwise be all there is to learn from. Both are chosen by hash.
"""

from model_image.training.data.engine import Engine
from model_image.training.data.settings import Settings

_BASKET = 16
WISHED = (0.0, 0.1, 0.4, 1.0)
"""Probability that a product of grade 0 to 3 is what was asked for. Substitutes are bought in place of the exact
product now and then, complements seldom: assumed, since the graded data has no purchases to measure it on."""


def rank(engine: Engine) -> str:
    """SQL of the examples of task rank, with `spread`, the hash that they are put in order by."""
    wished = "[" + ", ".join(map(str, WISHED)) + "]"
    return (
        "SELECT md5(q.query || chr(1) || t.text) AS spread, j.query_id, q.query, t.text, "
        f'({wished})[j.grade + 1] AS wished, q.number AS "group", q.part AS split '
        "FROM graded j "
        "JOIN (SELECT *, row_number() OVER (ORDER BY query_id) - 1 AS number FROM asked) q USING (query_id) "
        "JOIN texts t USING (product_id)"
    )


def find(engine: Engine, settings: Settings) -> int:
    """Make the table positives: query (of a pair, a title), text, category, own (of a pair, the text that has this
    title), split, times (of the text among all positives). Returns the rows.

    What validates is not learnt from: a pair that users of both splits have is in "train" alone.
    """
    engine.rows(f"CREATE TABLE pairs AS {_pairs(settings)}")
    engine.rows(
        "CREATE TABLE together AS SELECT *, md5(query || chr(1) || text) AS pair FROM ("
        "SELECT q.query, t.text, t.category, NULL::VARCHAR AS own, q.part AS split FROM graded j "
        "JOIN asked q USING (query_id) JOIN texts t USING (product_id) WHERE j.grade = 3 "
        'UNION ALL SELECT p.title, t.text, t.category, s.text, part("user") FROM pairs p '
        "JOIN texts t ON t.product_id = p.bought "
        "JOIN texts s ON s.product_id = p.product_id WHERE s.text <> t.text)"
    )
    engine.rows(
        "CREATE TABLE positives AS SELECT * EXCLUDE (pair), count(*) OVER (PARTITION BY text) AS times FROM together "
        "WHERE split = 'train' OR pair NOT IN (SELECT pair FROM together WHERE split = 'train')"
    )
    return int(engine.rows("SELECT count(*) FROM positives")[0][0])


def _pairs(settings: Settings) -> str:
    """user, product_id, title (of the former product), bought (the product of the user's next basket)."""
    order = "md5_number_lower(concat_ws(chr(1), '{seed}', \"user\", day, {ids})), {ids}"
    basket = order.format(seed=settings.seed, ids="product_id")
    pair = order.format(seed=settings.seed, ids="product_id, bought")
    return (
        'WITH numbered AS (SELECT *, dense_rank() OVER (PARTITION BY "user" ORDER BY day) AS basket, '
        f'row_number() OVER (PARTITION BY "user", day ORDER BY {basket}) AS rank FROM purchases), '
        f"small AS (SELECT * FROM numbered WHERE rank <= {_BASKET}), "
        'next AS (SELECT a."user", a.day, a.product_id, b.product_id AS bought FROM small a JOIN small b '
        'ON a."user" = b."user" AND b.basket = a.basket + 1 WHERE a.product_id <> b.product_id), '
        'once AS (SELECT "user", min(day) AS day, product_id, bought FROM next GROUP BY "user", product_id, bought), '
        f'chosen AS (SELECT *, row_number() OVER (PARTITION BY "user" ORDER BY {pair}) AS rank FROM once) '
        f'SELECT c."user", c.product_id, p.title, c.bought FROM chosen c JOIN products p USING (product_id) '
        f"WHERE c.rank <= {settings.pairs}"
    )
