"""Quantities: what Kubernetes takes and a server can run in."""

import pytest

from infra.config.kubernetes import check_quantity, parse_cores


@pytest.mark.parametrize("text", ["4Gi", "1.5Gi", "256Mi", "2G", "1500M", "1Ti", "2T", "4000000Ki", "400000k"])
def test_every_unit_of_kubernetes_is_taken(text: str) -> None:
    check_quantity(text)


@pytest.mark.parametrize("text", ["4", "500m", "2GB", "4gi", "Gi", "-4Gi", ""])
def test_an_amount_without_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a Kubernetes quantity such as 4Gi is needed, with one of k, M, G"):
        check_quantity(text)


@pytest.mark.parametrize("text", ["255Mi", "4Mi", "1M", "0Gi", "200000Ki"])
def test_an_amount_that_no_server_runs_in_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="256Mi or more"):
        check_quantity(text)


def test_cores_are_whole_ones_or_parts() -> None:
    assert [parse_cores(text) for text in ("4", "1.5", "500m")] == [4, 1.5, 0.5]


@pytest.mark.parametrize("text", ["0", "0m", "0.0", "4Gi", ""])
def test_no_cores_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a number of cores such as 4"):
        parse_cores(text)
