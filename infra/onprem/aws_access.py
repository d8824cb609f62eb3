"""How a pod of the site gets at AWS: a short-lived token of its own for one role, no static key."""

from dataclasses import dataclass

from pulumi import Input, Output, Resource, ResourceOptions
from pulumi_kubernetes import core, meta

from infra.config.registry import RegistryAccess
from infra.names import Names

# The audience that AWS STS expects in a pod's token.
TOKEN_AUDIENCE = "sts.amazonaws.com"
_CA, _TOKEN = "/etc/serving/ca", "/var/run/secrets/aws"


@dataclass(frozen=True, kw_only=True)
class AwsAccess:
    """`role_arn` trusts the pod's service account. `s3_endpoint` is S3 inside the VPC, reached through the VPN, unless
    `registry` has an endpoint for every AWS call."""

    role_arn: Input[str]
    region: Input[str]
    s3_endpoint: Input[str]
    registry: RegistryAccess

    def environment(self) -> dict[str, Input[str]]:
        """The AWS SDK's own variables."""
        found: dict[str, Input[str]] = {
            # The SDKs' common word, and the only one that Python's reads.
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ROLE_ARN": self.role_arn,
            "AWS_WEB_IDENTITY_TOKEN_FILE": f"{_TOKEN}/token",
        }
        if self.registry.endpoint:
            found["AWS_ENDPOINT_URL"] = self.registry.endpoint
        else:
            found["AWS_ENDPOINT_URL_S3"] = self.s3_endpoint
        if self.registry.ca_bundle:
            found["AWS_CA_BUNDLE"] = f"{_CA}/ca.pem"
        return found

    def mounts(self) -> dict[str, str]:
        """Volume to path."""
        return {"aws-token": _TOKEN} | ({"ca": _CA} if self.registry.ca_bundle else {})

    def volume_mounts(self) -> list[core.v1.VolumeMountArgs]:
        """`mounts` for a container; nothing in them is its own to write."""
        return [
            core.v1.VolumeMountArgs(name=volume, mount_path=path, read_only=True)
            for volume, path in self.mounts().items()
        ]

    def volumes(self, authorities: Input[str] | None) -> list[core.v1.VolumeArgs]:
        """The volumes of `mounts`; `authorities` is what the function of this name gave."""
        token = core.v1.ServiceAccountTokenProjectionArgs(
            audience=TOKEN_AUDIENCE, expiration_seconds=3600, path="token"
        )
        projected = core.v1.ProjectedVolumeSourceArgs(
            sources=[core.v1.VolumeProjectionArgs(service_account_token=token)]
        )
        volumes = [core.v1.VolumeArgs(name="aws-token", projected=projected)]
        if authorities is not None:
            source = core.v1.ConfigMapVolumeSourceArgs(name=authorities)
            volumes.append(core.v1.VolumeArgs(name="ca", config_map=source))
        return volumes


def authorities(
    name: str, access: RegistryAccess, names: Names, part: str, namespace: Input[str], parent: Resource
) -> Output[str] | None:
    """The ConfigMap with the certificates that `access` trusts; None means the public authorities.

    Immutable and named by Pulumi: new certificates are a new object, so the pods roll, all of them.
    """
    if not access.ca_bundle:
        return None
    return core.v1.ConfigMap(
        f"{name}-authorities",
        metadata=meta.v1.ObjectMetaArgs(
            namespace=namespace, labels=names.labels(part), annotations=names.annotations()
        ),
        immutable=True,
        data={"ca.pem": access.ca_bundle},
        opts=ResourceOptions(parent=parent),
    ).metadata.name
