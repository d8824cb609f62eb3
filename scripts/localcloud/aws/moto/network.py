"""The VPC: what moto shows otherwise than AWS."""

from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap


def name_endpoints_as_aws_does() -> None:
    # An interface endpoint is named after the service's own name (`com.amazonaws...`), S3's without the wildcard: the
    # URL that the stack gives the site would be none that S3 has.
    from moto.ec2.models.vpcs import VPCBackend

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_vpc_endpoint(self: Any, *args: Any, **kwargs: Any) -> Any:
            endpoint = original(self, *args, **kwargs)
            for entry in endpoint.dns_entries:
                entry["dns_name"] = _name(endpoint.id, endpoint.service_name)
            return endpoint

        return create_vpc_endpoint

    wrap(VPCBackend, "create_vpc_endpoint", make)


def _name(endpoint_id: str, service_name: str) -> str:
    region, _, service = service_name.removeprefix("com.amazonaws.").partition(".")
    wildcard, host = "*." if service == "s3" else "", ".".join(reversed(service.split(".")))
    return f"{wildcard}{endpoint_id}-{endpoint_id[-8:]}.{host}.{region}.vpce.amazonaws.com"
