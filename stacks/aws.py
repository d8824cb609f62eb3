"""The stack `<env>-aws`: network, VPN, registries, identities, and the edge with its two slots."""

import pulumi

from infra.aws.certificate import Certificate, CertificateArgs
from infra.aws.fleet import Fleet, FleetArgs
from infra.aws.identity import Identity, IdentityArgs
from infra.aws.image_registry import ImageRegistry, ImageRegistryArgs
from infra.aws.load_balancer import LoadBalancer, LoadBalancerArgs
from infra.aws.model_registry import ModelRegistry, ModelRegistryArgs
from infra.aws.network import Network, NetworkArgs
from infra.aws.vpn import Vpn, VpnArgs
from infra.config import AwsConfig
from infra.names import Names
from infra.outputs import AwsOutputs, export


def main() -> None:
    config = AwsConfig.load()
    names = Names(environment=config.environment, role="aws")

    network = Network(names.component("network"), NetworkArgs(names=names, region=config.region, config=config.network))
    vpn = Vpn(
        names.component("vpn"),
        VpnArgs(
            names=names,
            config=config.vpn,
            site=config.site,
            vpc_id=network.vpc_id,
            attachment_subnet_ids=network.attachment_subnet_ids,
            private_route_table_ids=network.private_route_table_ids,
            protection=config.protection,
        ),
    )
    models = ModelRegistry(names.component("models"), ModelRegistryArgs(names=names, protection=config.protection))
    images = ImageRegistry(names.component("images"), ImageRegistryArgs(names=names, protection=config.protection))
    identity = Identity(
        names.component("identity"),
        IdentityArgs(
            names=names,
            bucket_arn=models.arn,
            repository_arn=images.arn,
            oidc_issuer=config.site.oidc_issuer,
            service_account=config.site.service_account,
            publishers=config.publishers,
        ),
    )
    certificate = Certificate(
        names.component("tls"), CertificateArgs(names=names, zone=config.zone, domain=config.service_name)
    )
    edge = LoadBalancer(
        names.component("edge"),
        LoadBalancerArgs(
            names=names,
            vpc_id=network.vpc_id,
            subnet_ids=network.public_subnet_ids,
            certificate_arn=certificate.arn,
            weights={slot: settings.weight for slot, settings in config.slots.items()},
            protection=config.protection,
        ),
    )
    for slot, settings in config.slots.items():
        Fleet(
            names.component(slot),
            FleetArgs(
                names=names,
                slot=slot,
                slot_config=settings,
                config=config.fleet,
                registry=config.registry,
                region=config.region,
                bucket=models.bucket,
                repository_url=images.repository_url,
                subnet_ids=network.private_subnet_ids,
                security_group_id=edge.instance_security_group_id,
                instance_profile_name=identity.instance_profile_name,
                target_group_arn=edge.target_group_arns[slot],
            ),
            # An instance that starts needs its way out and its rights.
            opts=pulumi.ResourceOptions(depends_on=[network, identity]),
        )

    export(
        AwsOutputs(
            region=config.region,
            vpc_id=network.vpc_id,
            vpc_cidr=config.network.cidr,
            registry_bucket=models.bucket,
            image_repository_url=images.repository_url,
            load_balancer_dns_name=edge.dns_name,
            load_balancer_zone_id=edge.zone_id,
            stable_image=config.slots["stable"].image,
            onprem_role_arn=identity.onprem_role_arn,
            publisher_role_arn=identity.publisher_role_arn,
            tunnels=vpn.tunnels,
        )
    )
