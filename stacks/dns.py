"""The stack `<env>-dns`: one name for both sites, split by weight and health."""

from infra.config import DnsConfig
from infra.dns.health_checks import HealthChecks, HealthChecksArgs
from infra.dns.weighted_split import WeightedSplit, WeightedSplitArgs
from infra.names import Names
from infra.outputs import DnsOutputs, export, read_aws, read_onprem


def main() -> None:
    config = DnsConfig.load()
    names = Names(environment=config.environment, role="dns")
    aws = read_aws(config.organization, config.environment)
    onprem = read_onprem(config.organization, config.environment)

    checks = HealthChecks(
        names.component("health"),
        HealthChecksArgs(
            names=names,
            config=config.health_check,
            service_name=config.service_name,
            onprem_address=onprem.endpoint_address,
            aws_dns_name=aws.load_balancer_dns_name,
        ),
    )
    split = WeightedSplit(
        names.component("split"),
        WeightedSplitArgs(
            zone=config.zone,
            service_name=config.service_name,
            weights=config.weights,
            health_check_ids=checks.ids,
            onprem_address=onprem.endpoint_address,
            load_balancer_dns_name=aws.load_balancer_dns_name,
            load_balancer_zone_id=aws.load_balancer_zone_id,
        ),
    )

    export(DnsOutputs(service_name=config.service_name, zone_id=split.zone_id, health_check_ids=checks.ids))
