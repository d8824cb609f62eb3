"""The ground of the stack `<env>-aws`: what stays while images, slots and fleets come and go."""

from dataclasses import dataclass

import pulumi

from infra.aws.identity import Identity, IdentityArgs
from infra.aws.image_registry import ImageRegistry, ImageRegistryArgs
from infra.aws.logs import Logs, LogsArgs
from infra.aws.model_registry import ModelRegistry, ModelRegistryArgs
from infra.aws.network import Network, NetworkArgs
from infra.aws.vpn import Vpn, VpnArgs
from infra.config import AwsConfig
from infra.cost.network import describe
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The parts that the serving side of the stack builds upon."""

    logs: Logs
    network: Network
    vpn: Vpn
    models: ModelRegistry
    images: ImageRegistry
    identity: Identity


def lay_ground(config: AwsConfig, names: Names) -> Ground:
    """Declare logs, network, VPN, registries and identities."""
    region, protection = config.region, config.protection
    logs = Logs(
        names.component("logs"), LogsArgs(names=names, region=region, days=config.logs.days, protection=protection)
    )
    models = ModelRegistry(
        names.component("models"),
        ModelRegistryArgs(names=names, region=region, access_log_bucket=logs.access_bucket, protection=protection),
    )
    images = ImageRegistry(names.component("images"), ImageRegistryArgs(names=names, protection=protection))
    identity = Identity(
        names.component("identity"),
        IdentityArgs(
            names=names,
            region=region,
            bucket_arn=models.arn,
            key_arn=models.key_arn,
            repository_arn=images.arn,
            log_group_arn=logs.server_group_arn,
            oidc_issuer=config.site.oidc_issuer,
            service_accounts=config.site.service_accounts,
            trainer_account=config.site.trainer_account,
            domain=config.service_name,
            ami_parameter=config.fleet.ami.parameter,
            api_keys_parameter=config.fleet.api_keys_parameter,
            access=config.access,
        ),
    )
    network = Network(
        names.component("network"),
        NetworkArgs(
            names=names,
            region=region,
            config=config.network,
            site_ranges=config.site.ranges,
            flow_log_group_arn=logs.flow_group_arn,
            permissions_boundary=identity.boundary_arn,
        ),
    )
    pulumi.log.info(describe(config.network, region), network)
    vpn = Vpn(
        names.component("vpn"),
        VpnArgs(
            names=names,
            config=config.vpn,
            site=config.site,
            vpc_id=network.vpc_id,
            attachment_subnet_ids=network.attachment_subnet_ids,
            private_route_table_ids=network.private_route_table_ids,
            log_group_arn=logs.tunnel_group_arn,
            protection=protection,
        ),
    )
    return Ground(logs=logs, network=network, vpn=vpn, models=models, images=images, identity=identity)
