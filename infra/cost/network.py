"""What the VPC costs a month before the first byte: NAT gateways and interface endpoints. Pure functions.

The VPN, the load balancer and traffic are not in here.
"""

from dataclasses import dataclass

from infra.addresses import nat_gateways
from infra.config.network import NAT_MODES, NetworkConfig
from infra.cost.prices import HOURS_PER_MONTH, NETWORK_AS_OF, network_prices

# The registry's S3 has interfaces whatever the settings say (`infra/aws/endpoints.py`).
ALWAYS = 1


@dataclass(frozen=True, kw_only=True)
class NetworkCost:
    """USD per month of 730 hours, by part."""

    nat: float
    endpoints: float

    @property
    def total(self) -> float:
        return self.nat + self.endpoints


def fixed_monthly_cost(config: NetworkConfig, region: str) -> NetworkCost:
    """What is paid for being there, in USD a month; each NAT gateway has a public address, which is paid too."""
    prices, _ = network_prices(region)
    return NetworkCost(
        nat=_nat_monthly(config.nat, config.zones, region),
        endpoints=interfaces(config) * prices.endpoint_hour * HOURS_PER_MONTH,
    )


def interfaces(config: NetworkConfig) -> int:
    """How many endpoint interfaces there are: one per service and zone."""
    return (len(config.interface_endpoints) + ALWAYS) * config.zones


def _nat_monthly(mode: str, zones: int, region: str) -> float:
    prices, _ = network_prices(region)
    return nat_gateways(mode, zones) * (prices.nat_hour + prices.public_address_hour) * HOURS_PER_MONTH


def describe(config: NetworkConfig, region: str) -> str:
    """One line for a preview: the total, what it is made of, what the other NAT modes would cost, and whose prices."""
    prices, priced = network_prices(region)
    cost = fixed_monthly_cost(config, region)
    gateways = nat_gateways(config.nat, config.zones)
    others = " or ".join(
        f"{_nat_monthly(mode, config.zones, region):.2f} with {mode!r}" for mode in NAT_MODES if mode != config.nat
    )
    source = "List prices" if priced == region else f"List prices of {priced}, as {region} is not in our table"
    return (
        f"The network's fixed cost is {cost.total:.2f} USD a month: {gateways} NAT gateway{'s'[: gateways != 1]} "
        f"{cost.nat:.2f} (network.nat is {config.nat!r}; {others}), {interfaces(config)} endpoint interfaces "
        f"{cost.endpoints:.2f}. Each GB through NAT costs {prices.nat_gb:.3f}, through an interface "
        f"{prices.endpoint_gb:.3f}. {source}, {NETWORK_AS_OF}."
    )
