"""Which record of a group Route 53 answers with.

Rules, from the Route 53 developer guide ("Weighted routing", "How Route 53 chooses records when health checking is
configured"): weight / sum of weights among healthy records; a record of weight 0 answers only when every record with
a weight is unhealthy; when all are unhealthy, all count as healthy; when all weights are 0, all are equal.
"""

from collections.abc import Callable, Sequence

from scripts.localcloud.dns.view import Record


def shares(records: Sequence[Record], healthy: Callable[[Record], bool]) -> list[float]:
    """Probability of each record of one group (same name and type), in order; they sum to 1 for a non-empty group."""
    if not records:
        return []
    alive = [healthy(record) for record in records]
    weights = [1 if record.weight is None else record.weight for record in records]
    if not any(alive):
        alive = [True] * len(records)
    live = [weight if up else 0 for weight, up in zip(weights, alive, strict=True)]
    if not any(live):  # every record with a weight is unhealthy, or none has a weight: the living ones are equal
        live = [int(up) for up in alive]
    return [weight / sum(live) for weight in live]


def choose(records: Sequence[Record], healthy: Callable[[Record], bool], random: Callable[[], float]) -> Record | None:
    """Draw one record of the group; ``random`` returns a number in [0, 1). None for an empty group."""
    point, chosen = random(), None
    for record, share in zip(records, shares(records, healthy), strict=True):
        if share > 0:
            chosen = record
            if point < share:
                break
            point -= share
    return chosen
