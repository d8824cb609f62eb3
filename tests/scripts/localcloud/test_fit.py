"""The chi-square test against tabulated quantiles."""

import pytest

from scripts.localcloud.fit import p_value, survival


@pytest.mark.parametrize(
    ("statistic", "freedom"),
    # Quantiles at 5 % from the standard table of the chi-square distribution.
    [(3.841, 1), (5.991, 2), (7.815, 3), (9.488, 4), (11.070, 5), (18.307, 10)],
)
def test_the_tail_agrees_with_the_table(statistic: float, freedom: int) -> None:
    assert survival(statistic, freedom) == pytest.approx(0.05, abs=1e-4)


def test_counts_as_declared_are_likely_and_swapped_ones_are_not() -> None:
    assert p_value([700, 300], [0.7, 0.3]) == pytest.approx(1.0)
    assert p_value([300, 700], [0.7, 0.3]) < 1e-9


def test_an_answer_that_must_not_come_rejects_the_split() -> None:
    assert p_value([999, 1], [1.0, 0.0]) == 0.0


def test_a_single_possible_answer_fits() -> None:
    assert p_value([1000, 0], [1.0, 0.0]) == 1.0
