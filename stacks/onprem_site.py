"""What all parts of the stack `<env>-onprem` are told: settings, AWS's outputs, the image, who goes first."""

from dataclasses import dataclass

from pulumi import Input, Output

from infra.config import OnPremConfig
from infra.images import ImageReference
from infra.names import Names
from infra.onprem.aws_access import AwsAccess
from infra.onprem.priority import Priorities, PrioritiesArgs
from infra.onprem.pull_secrets import SECRET
from infra.outputs import AwsOutputs, read_aws


@dataclass(frozen=True, kw_only=True)
class Site:
    """`image` is by digest; `pull_secrets` are the names of the Secrets with which it is pulled in every namespace."""

    config: OnPremConfig
    names: Names
    aws: AwsOutputs
    image: Output[str]
    pull_secrets: tuple[str, ...]
    priorities: Priorities

    def access(self, role_arn: Input[str]) -> AwsAccess:
        """AWS by this role."""
        return AwsAccess(
            role_arn=role_arn,
            region=self.aws.region,
            s3_endpoint=self.aws.registry_endpoint,
            registry=self.config.registry,
        )


def read_site() -> Site:
    """The running stack's."""
    config = OnPremConfig.load()
    names = Names(environment=config.environment, role="onprem")
    aws = read_aws(config.organization, config.environment)
    image = Output.from_input(config.image.mirror or aws.image_repository_url).apply(
        lambda repository: str(ImageReference(repository=repository, digest=config.image.digest))
    )
    return Site(
        config=config,
        names=names,
        aws=aws,
        image=image,
        pull_secrets=(SECRET,) if config.image.refresh_credentials else (),
        priorities=Priorities(names.component("priorities"), PrioritiesArgs(names=names)),
    )
