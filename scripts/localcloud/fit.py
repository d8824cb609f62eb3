"""Does a measured split agree with the declared one? Pearson's chi-square test, with no library."""

import math
from collections.abc import Sequence


def p_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Probability of counts at least this far from ``shares`` (probabilities) when the shares are the truth.

    A category of share 0 must have count 0, otherwise the probability is 0; it is left out of the test.
    """
    total = sum(counts)
    pairs = [(count, total * share) for count, share in zip(counts, shares, strict=True)]
    if any(count and not expected for count, expected in pairs):
        return 0.0
    possible = [(count, expected) for count, expected in pairs if expected]
    freedom = len(possible) - 1
    if freedom < 1:
        return 1.0
    return survival(sum((count - expected) ** 2 / expected for count, expected in possible), freedom)


def survival(statistic: float, freedom: int) -> float:
    """Upper tail of the chi-square distribution with ``freedom`` degrees of freedom.

    Q(a + 1, x) = Q(a, x) + x^a e^-x / Γ(a + 1), from Q(1/2, x) = erfc(√x) or Q(1, x) = e^-x, with x = statistic / 2.
    """
    x = statistic / 2
    tail, a = (math.erfc(math.sqrt(x)), 0.5) if freedom % 2 else (math.exp(-x), 1.0)
    while a < freedom / 2:
        tail += math.exp(a * math.log(x) - x - math.lgamma(a + 1)) if x > 0 else 0.0
        a += 1
    return min(tail, 1.0)
