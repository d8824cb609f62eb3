from dataclasses import astuple

import pytest

from infra.cost.prices import BASE_REGION, NETWORK, NETWORK_AS_OF, network_prices


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "eu-west-1"])
def test_the_regions_of_the_examples_have_prices_of_their_own(region: str) -> None:
    assert network_prices(region) == (NETWORK[region], region)


def test_an_unknown_region_is_priced_as_the_base_region_by_name() -> None:
    assert network_prices("xx-north-9") == (NETWORK[BASE_REGION], BASE_REGION)


@pytest.mark.parametrize("region", NETWORK)
def test_every_price_is_a_plausible_one_in_usd(region: str) -> None:
    """Cents, not dollars, and never free: a slip of the decimal point shows."""
    assert all(0.001 <= price <= 0.2 for price in astuple(NETWORK[region]))


def test_prices_say_of_when_they_are() -> None:
    month, year = NETWORK_AS_OF.split()
    assert month.isalpha()
    assert 2024 <= int(year) <= 2100
