"""Addresses of the local cloud. The same in every checkout: each has network namespaces of its own."""

INET_SITE, INET_AWS = "198.51.100.1", "203.0.113.1"
CLIENT = "203.0.113.200"
DNS = "203.0.113.53"

SITE_GATEWAY, SITE_INGRESS = "198.51.100.10", "198.51.100.20"
NODE, NODE_CIDR = "10.10.0.10", "10.10.0.0/24"
POD_CIDR, SERVICE_CIDR = "10.42.0.0/24", "10.43.0.0/24"

VPC_CIDR, VPC_ROUTER, VPC_ENDPOINT = "10.30.0.0/16", "10.30.0.1", "10.30.255.10"
METADATA = "169.254.169.254"
TUNNELS = ("203.0.113.11", "203.0.113.12")
ALB = ("203.0.113.30", "203.0.113.31", "203.0.113.32")

ZONE, SERVICE_NAME = "shop.test", "search.shop.test"
OIDC_ISSUER = f"https://oidc.{ZONE}/onprem"  # fixed: AWS roles for pods name it before the cluster exists
REGION, ACCOUNT = "eu-central-1", "123456789012"


def management(number: int) -> dict[str, str]:
    """Both ends of the two /30 links by which the host reaches the site and the VPC of local cloud ``number``."""
    net = f"100.64.{number}"
    return {"host_onprem": f"{net}.1", "onprem": f"{net}.2", "host_vpc": f"{net}.5", "vpc": f"{net}.6"}
