from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config.network import INTERFACE_ENDPOINTS, NAT_MODES, NetworkConfig
from infra.cost.network import describe, fixed_monthly_cost, interfaces
from infra.cost.prices import BASE_REGION, NETWORK, NETWORK_AS_OF

configs = st.builds(
    NetworkConfig,
    cidr=st.just("10.30.0.0/16"),
    zones=st.integers(2, 4),
    nat=st.sampled_from(NAT_MODES),
    interface_endpoints=st.lists(st.sampled_from(INTERFACE_ENDPOINTS), unique=True).map(tuple),
    reserved=st.just(()),
)
regions = st.sampled_from([*NETWORK, "ap-south-1"])
CONFIG = NetworkConfig(
    cidr="10.30.0.0/16", zones=3, nat="per-zone", interface_endpoints=INTERFACE_ENDPOINTS, reserved=()
)


def test_the_example_costs_what_its_price_page_says() -> None:
    """3 gateways with an address each, and 9 services in 3 zones, in Frankfurt."""
    cost = fixed_monthly_cost(CONFIG, "eu-central-1")
    assert cost.nat == pytest.approx(3 * (0.052 + 0.005) * 730)
    assert cost.endpoints == pytest.approx(27 * 0.012 * 730)
    assert cost.total == pytest.approx(361.35)


@given(configs, regions)
def test_one_gateway_costs_a_share_of_one_per_zone_and_none_costs_nothing(config: NetworkConfig, region: str) -> None:
    none, one, each = (fixed_monthly_cost(replace(config, nat=mode), region) for mode in ("none", "one", "per-zone"))
    assert none.nat == 0
    assert one.nat * config.zones == pytest.approx(each.nat)
    assert none.endpoints == one.endpoints == each.endpoints


@given(configs, regions)
def test_the_registrys_endpoint_is_paid_even_when_no_other_is_asked_for(config: NetworkConfig, region: str) -> None:
    alone = replace(config, interface_endpoints=())
    assert interfaces(alone) == config.zones
    assert 0 < fixed_monthly_cost(alone, region).endpoints <= fixed_monthly_cost(config, region).endpoints


@given(configs, regions)
def test_the_line_for_the_preview_is_one_line_with_the_sum_and_its_date(config: NetworkConfig, region: str) -> None:
    line = describe(config, region)
    assert "\n" not in line
    assert f"{fixed_monthly_cost(config, region).total:.2f} USD a month" in line
    assert NETWORK_AS_OF in line


@given(configs, regions)
def test_the_line_tells_what_the_other_nat_modes_would_cost(config: NetworkConfig, region: str) -> None:
    for mode in NAT_MODES:
        cost = fixed_monthly_cost(replace(config, nat=mode), region).nat
        assert (f"{cost:.2f} with {mode!r}" in describe(config, region)) == (mode != config.nat)


def test_a_region_without_prices_is_priced_as_the_base_region_and_the_line_says_so() -> None:
    assert fixed_monthly_cost(CONFIG, "ap-south-1") == fixed_monthly_cost(CONFIG, BASE_REGION)
    assert f"prices of {BASE_REGION}, as ap-south-1 is not in our table" in describe(CONFIG, "ap-south-1")


@pytest.mark.parametrize("region", NETWORK)
def test_a_region_with_prices_is_not_excused(region: str) -> None:
    assert "not in our table" not in describe(CONFIG, region)


def test_the_line_speaks_of_one_gateway_and_of_several() -> None:
    assert "1 NAT gateway " in describe(replace(CONFIG, nat="one"), "eu-west-1")
    assert "3 NAT gateways " in describe(CONFIG, "eu-west-1")
