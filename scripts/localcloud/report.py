"""The end of the main job: both sites asked by the one name, and what the customer sees."""

from collections.abc import Sequence

from scripts.localcloud import customer
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError, note, step
from scripts.localcloud.processes import wait_until
from scripts.localcloud.query import show_reply, show_split

SHOWN, LOOKUPS = 3, 1000
# Every server polls the channel every 5 s, then downloads, checks and warms what it names.
ROLL_SECONDS = 120.0
IN_A_ROW = 5  # answers of the new release until no server of a site can be expected to lag


def show(cloud: LocalCloud, queries: Sequence[str], release: str) -> None:
    """Wait until both sites serve ``release``, ask them every query, print the first ones' products and the split.

    Raises UserError when a site does not answer, when the two sites run different releases or images, or when the
    split does not fit the weights.
    """
    with step("wait until both sites serve the release", "5 s"):
        wait_until(lambda: _served(cloud, queries[0], release), what=f"{release} on both sites", timeout=ROLL_SECONDS)
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
    if not split.fits:
        raise UserError("the DNS answers do not fit the declared weights: see `customer dig` and the dns log")


def _served(cloud: LocalCloud, query: str, release: str) -> bool:
    try:
        return all(reply.release == release for _ in range(IN_A_ROW) for reply in customer.ask(cloud, query, k=1))
    except UserError as error:
        raise OSError(error) from None  # not yet: `wait_until` goes on, and tells it if it stays so


def _same(answers: Sequence[Sequence[customer.Reply]]) -> None:
    for what in ("release", "image"):
        seen = {f"{reply.site}: {getattr(reply, what)}" for replies in answers for reply in replies}
        if len({text.partition(": ")[2] for text in seen}) != 1:
            raise UserError(f"the sites run different {what}s: {'; '.join(sorted(seen))}")
