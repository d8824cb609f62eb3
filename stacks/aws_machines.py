"""The machines of the stack `<env>-aws`: what they boot from, and the fleets of both slots."""

from pulumi import Output, ResourceOptions

from infra.aws.fleet import Fleet, FleetArgs
from infra.aws.load_balancer import LoadBalancer
from infra.aws.machine_images import MachineImages, MachineImagesArgs
from infra.config import AwsConfig
from infra.names import Names
from stacks.aws_ground import Ground


def start_fleets(config: AwsConfig, names: Names, ground: Ground, edge: LoadBalancer) -> dict[str, Fleet]:
    """A fleet for each slot; where the config says so, from a machine image that brings the slot's image along."""
    baked = _bake(config, names, ground, edge) if config.fleet.ami.bake else {}
    return {
        slot: Fleet(
            names.component(slot),
            FleetArgs(
                names=names,
                region=config.region,
                slot=slot,
                slot_config=settings,
                config=config.fleet,
                registry=config.registry,
                bucket=ground.models.bucket,
                repository_url=ground.images.repository_url,
                subnet_ids=ground.network.private_subnet_ids,
                security_group_id=edge.instance_security_group_id,
                instance_profile_name=ground.identity.instance_profile_name,
                target_group_arn=edge.target_group_arns[slot],
                request_label=Output.concat(edge.suffix, "/", edge.target_group_suffixes[slot]),
                log_group_name=ground.logs.server_group_name,
                machine_image=baked.get(settings.image),
            ),
            # An instance that starts needs its way out and its rights; a scaling policy on requests needs the listener.
            opts=ResourceOptions(depends_on=[ground.network, ground.identity, edge]),
        )
        for slot, settings in config.slots.items()
    }


def _bake(config: AwsConfig, names: Names, ground: Ground, edge: LoadBalancer) -> dict[str, Output[str]]:
    images = (settings.image for settings in config.slots.values() if settings.image)
    return MachineImages(
        names.component("bake"),
        MachineImagesArgs(
            names=names,
            region=config.region,
            ami=config.fleet.ami,
            digests=tuple(dict.fromkeys(images)),
            root_gib=config.fleet.root_gib,
            bucket=ground.models.bucket,
            bucket_arn=ground.models.arn,
            key_arn=ground.models.key_arn,
            repository_url=ground.images.repository_url,
            repository_arn=ground.images.arn,
            subnet_id=ground.network.private_subnet_ids[0],
            security_group_id=edge.instance_security_group_id,
            permissions_boundary=ground.identity.boundary_arn,
            log_key_arn=ground.logs.key_arn,
            log_days=config.logs.days,
        ),
        # A build's machines need a way out, which exists with the network.
        opts=ResourceOptions(depends_on=[ground.network, edge]),
    ).by_digest
