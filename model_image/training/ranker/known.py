"""What may be learnt of a dataset's purchases: those before its cut, of users that it does not hold back."""

from collections.abc import Mapping

import numpy as np

from model_image.signals.behaviour import Behaviour
from model_image.training.data.splits import unseen
from model_image.training.dataset import Dataset
from model_image.training.ranker.behaviour import Purchases, learn_behaviour
from model_image.training.ranker.tables import read_bought


def known_purchases(dataset: Dataset, rows: Mapping[str, int]) -> tuple[Purchases, int]:
    """The purchases of products in `rows`, product_id to row, and the cut as a day. Raises `DatasetError`."""
    bought = read_bought(dataset, rows)
    held = np.array([unseen(user, dataset.prepared.unseen_percent) for user in bought.users], dtype=bool)
    return bought.entries.where((bought.entries.day < bought.cut) & ~held[bought.entries.user]), bought.cut


def known_behaviour(dataset: Dataset, rows: Mapping[str, int]) -> Behaviour:
    """The tables of these purchases. Raises `DatasetError`.

    A release in service has tables up to its last day, which knows the baskets that it would be measured by: measured
    are its models and rankers, on these.
    """
    known, cut = known_purchases(dataset, rows)
    return learn_behaviour(known, rows=len(rows), end=cut)
