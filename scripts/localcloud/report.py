"""The end of the main job: both sites asked by the one name, and what the customer sees."""

from collections.abc import Sequence

from scripts.localcloud import customer
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError, note, step
from scripts.localcloud.query import show_reply, show_split

SHOWN, LOOKUPS = 3, 1000


def show(cloud: LocalCloud, queries: Sequence[str]) -> None:
    """Ask both sites every query; print the first ones' products, the releases, and the measured split.

    Raises UserError when a site does not answer, when the two sites run different releases or images, or when the
    split does not fit the weights.
    """
    with step(f"ask both sites {len(queries)} queries", "5 s"):
        answers = [customer.ask(cloud, query, k=5) for query in queries]
    for query, replies in list(zip(queries, answers, strict=True))[:SHOWN]:
        note(f'\n"{query}"')
        for reply in replies:
            note(show_reply(reply))
    _same(answers)
    different = sum(len({tuple(p.id for p in reply.products) for reply in replies}) > 1 for replies in answers)
    note(f"\n{len(queries)} queries answered by both sites; rankings differ for {different}")
    split = customer.split(cloud, LOOKUPS)
    note(show_split(split))
    if split.p_value <= 0.001:
        raise UserError("the DNS answers do not fit the declared weights: see `customer dig` and the dns log")


def _same(answers: Sequence[Sequence[customer.Reply]]) -> None:
    for what in ("release", "image"):
        seen = {f"{reply.site}: {getattr(reply, what)}" for replies in answers for reply in replies}
        if len({text.partition(": ")[2] for text in seen}) != 1:
            raise UserError(f"the sites run different {what}s: {'; '.join(sorted(seen))}")
