"""The stack `<env>-aws`: on the ground that stays, the edge with its two slots, and what watches them."""

from pulumi import ResourceOptions

from infra.aws.certificate import Certificate, CertificateArgs
from infra.aws.load_balancer import LoadBalancer, LoadBalancerArgs
from infra.aws.watch import Watch, WatchArgs
from infra.config import AwsConfig
from infra.names import Names
from infra.outputs import AwsOutputs, export
from stacks.aws_ground import lay_ground
from stacks.aws_machines import start_fleets


def main() -> None:
    config = AwsConfig.load()
    names = Names(environment=config.environment, role="aws")
    ground = lay_ground(config, names)
    certificate = Certificate(
        names.component("tls"), CertificateArgs(names=names, zone=config.zone, domain=config.service_name)
    )
    edge = LoadBalancer(
        names.component("edge"),
        LoadBalancerArgs(
            names=names,
            vpc_id=ground.network.vpc_id,
            subnet_ids=ground.network.public_subnet_ids,
            certificate_arn=certificate.arn,
            weights={slot: settings.weight for slot, settings in config.slots.items()},
            access_log_bucket=ground.logs.access_bucket,
            rate_limit=config.edge.rate_limit,
            protection=config.protection,
        ),
        # AWS makes no public load balancer in subnets whose VPC has no internet gateway yet.
        opts=ResourceOptions(depends_on=[ground.network]),
    )
    fleets = start_fleets(config, names, ground, edge)
    watch = Watch(
        names.component("watch"),
        WatchArgs(
            names=names,
            region=config.region,
            config=config.watch,
            key_arn=ground.logs.key_arn,
            load_balancer=edge.suffix,
            target_groups=edge.target_group_suffixes,
            groups={slot: fleet.group_name for slot, fleet in fleets.items()},
            answering=[slot for slot, s in config.slots.items() if s.image and s.weight and s.min_instances],
            connection_ids=ground.vpn.connection_ids,
        ),
    )
    export(
        AwsOutputs(
            region=config.region,
            vpc_id=ground.network.vpc_id,
            vpc_cidr=config.network.cidr,
            registry_bucket=ground.models.bucket,
            registry_endpoint=ground.network.registry_endpoint,
            image_repository_url=ground.images.repository_url,
            load_balancer_dns_name=edge.dns_name,
            load_balancer_zone_id=edge.zone_id,
            stable_image=config.slots["stable"].image,
            machine_image=fleets["stable"].machine_image,
            api_keys=bool(config.fleet.api_keys_parameter),
            alarm_topic_arn=watch.topic_arn,
            onprem_role_arn=ground.identity.onprem_role_arn,
            publisher_role_arn=ground.identity.publisher_role_arn,
            collector_role_arn=ground.identity.collector_role_arn,
            preview_role_arn=ground.identity.preview_role_arn,
            deploy_role_arn=ground.identity.deploy_role_arn,
            tunnels=ground.vpn.tunnels,
        )
    )
