"""What SQL calls of Python: the engine's functions by name."""

from collections import Counter

from model_image.products import product_text
from model_image.training.data import splits
from model_image.training.data.engine import Engine
from model_image.training.data.pseudonyms import Pseudonyms
from model_image.training.data.scrub import scrub


def define(engine: Engine, pseudonyms: Pseudonyms | None, seed: int) -> Counter[str]:
    """Returns the counter of what `scrubbed` takes out from now on."""
    found: Counter[str] = Counter()

    def scrubbed(text: str) -> str:
        clean, count = scrub(text)
        found.update(count)
        return clean

    if pseudonyms is not None:
        engine.define("pseudonym", pseudonyms.of, ["VARCHAR"], "VARCHAR")
    engine.define("scrubbed", scrubbed, ["VARCHAR"], "VARCHAR")
    engine.define("scrubbed_value", lambda text: scrub(text)[0], ["VARCHAR"], "VARCHAR")
    engine.define("fold_of", splits.fold, ["VARCHAR"], "BIGINT")
    engine.define("words", splits.words, ["VARCHAR"], "VARCHAR")
    engine.define("part", lambda group: splits.part(group, seed), ["VARCHAR"], "VARCHAR")
    engine.define("labelled_part", lambda text: splits.labelled_part(text, seed), ["VARCHAR"], "VARCHAR")
    engine.define("product_text", product_text, ["VARCHAR", "VARCHAR"], "VARCHAR")
    return found
