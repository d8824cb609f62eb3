"""What of a shop's data can be asked of a release, found out before a release is built."""

import copy
from pathlib import Path

from msgspec.structs import replace

from model_image.channel import Channel
from model_image.training.data.errors import InputError
from model_image.training.dataset import EVENTS, JUDGMENTS, Dataset
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.purchase_task import purchase_task
from model_image.training.evaluate.search_task import search_task
from model_image.training.loop.learn import Say


def measurable(dataset: Dataset, say: Say) -> Dataset | None:
    """The dataset without what nothing can be asked of, such as events that are all views; None where nothing is left.

    Raises `DatasetError`.
    """
    left_out: dict[str, str] = {}
    if dataset.has(JUDGMENTS):
        try:
            search_task(dataset, whole_catalogue=True, fold=dataset.prepared.hold_fold)
        except MeasureError as error:
            left_out[JUDGMENTS] = str(error)
    if dataset.has(EVENTS):
        try:
            purchase_task(dataset)
        except MeasureError as error:
            left_out[EVENTS] = str(error)
    for table, why in left_out.items():
        say(f"not measured by {Path(table).stem}: {why}")
    files = {name: digest for name, digest in dataset.prepared.files.items() if name not in left_out}
    if not {JUDGMENTS, EVENTS} & files.keys():
        return None
    view = copy.copy(dataset)
    view.prepared = replace(dataset.prepared, files=files)
    return view


def refuse_unmeasured(found: Dataset | None, channel: Channel) -> None:
    """Raise `InputError` where nothing can be measured and something serves that might be better."""
    if found is None and channel.stable:
        raise InputError(
            f"channel {channel.model}: {channel.stable} serves, and the tables allow no comparison with it, expected "
            "judgments of queries, or purchases on both sides of the cut; give such tables, or renew the catalogue "
            "alone with scripts/publish"
        )
