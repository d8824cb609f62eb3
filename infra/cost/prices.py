"""List prices in USD, without taxes, discounts and free tiers, each with its date and source.

They are for choosing between settings and change a few times in a decade; a bill is AWS's to write. A region that is
missing here is priced as us-east-1, and whoever shows a price says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

HOURS_PER_MONTH = 730
"""AWS's own number for monthly estimates: 365 days of 24 hours in 12 months."""

BASE_REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class NetworkPrices:
    """USD. An interface endpoint's hour is for each of its zones; its GB is the first tier, up to 1 PB a month."""

    nat_hour: float
    nat_gb: float
    endpoint_hour: float
    endpoint_gb: float
    public_address_hour: float


# AWS price list, as of October 2026. AmazonEC2: NatGateway-Hours, NatGateway-Bytes. AmazonVPC: VpcEndpoint-Hours,
# VpcEndpoint-Bytes, PublicIPv4:InUseAddress. The same numbers stand on the pages "Amazon VPC pricing" and
# "AWS PrivateLink pricing". Gateway endpoints are free.
NETWORK_AS_OF = "October 2026"
NETWORK: Mapping[str, NetworkPrices] = {
    "us-east-1": NetworkPrices(
        nat_hour=0.045, nat_gb=0.045, endpoint_hour=0.010, endpoint_gb=0.01, public_address_hour=0.005
    ),
    "eu-central-1": NetworkPrices(
        nat_hour=0.052, nat_gb=0.052, endpoint_hour=0.012, endpoint_gb=0.01, public_address_hour=0.005
    ),
    "eu-west-1": NetworkPrices(
        nat_hour=0.048, nat_gb=0.048, endpoint_hour=0.011, endpoint_gb=0.01, public_address_hour=0.005
    ),
}


def network_prices(region: str) -> tuple[NetworkPrices, str]:
    """The prices for `region`, and the region whose prices they are."""
    priced = region if region in NETWORK else BASE_REGION
    return NETWORK[priced], priced
