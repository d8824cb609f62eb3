"""Whether each site can serve, as seen from the internet."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.config.dns import HealthCheckConfig
from infra.names import Names

PATH = "/readyz"
PORT = 443


@dataclass(frozen=True, kw_only=True)
class HealthChecksArgs:
    """Where each site is reached: the on-prem address, and the load balancer's own name."""

    names: Names
    config: HealthCheckConfig
    service_name: str
    onprem_address: Input[str]
    aws_dns_name: Input[str]


class HealthChecks(pulumi.ComponentResource):
    """One HTTPS check per site, each straight at its endpoint.

    None is resolved through the record that it decides about: it would then measure whichever site answers.
    """

    ids: dict[str, Output[str]]

    def __init__(self, name: str, args: HealthChecksArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:dns:HealthChecks", name, None, opts)
        self._name, self._args = name, args
        self.ids = {
            # With an address given, the name is not looked up: it is the SNI and Host that the site's pods expect.
            "onprem": self._check("onprem", ip_address=args.onprem_address, fqdn=args.service_name),
            "aws": self._check("aws", fqdn=args.aws_dns_name),
        }
        self.register_outputs({"ids": self.ids})

    def _check(self, site: str, *, fqdn: Input[str], ip_address: Input[str] | None = None) -> Output[str]:
        name = f"{self._name}-{site}"
        return aws.route53.HealthCheck(
            name,
            type="HTTPS",
            fqdn=fqdn,
            ip_address=ip_address,
            port=PORT,
            resource_path=PATH,
            enable_sni=True,
            # Always sent: without it the provider plans a replacement at each run.
            request_interval=self._args.config.interval_seconds,
            failure_threshold=self._args.config.threshold,
            tags=self._args.names.tags(name),
            opts=ResourceOptions(parent=self),
        ).id
