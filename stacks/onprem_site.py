"""What all parts of the stack `<env>-onprem` are told: settings, AWS's outputs, the image, who goes first."""

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output

from infra.config import OnPremConfig
from infra.config.image import ImageConfig
from infra.images import ImageReference
from infra.names import Names
from infra.onprem.aws_access import AwsAccess
from infra.onprem.priority import Priorities, PrioritiesArgs
from infra.onprem.pull_secrets import SECRET
from infra.onprem.unreachable import explain_unreachable
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
    explain_unreachable(config.context)
    repository = Output.from_input(config.image.mirror or aws.image_repository_url)
    keys = Output.from_input(aws.api_keys).apply(lambda asked: _check_keys(config.serving.api_keys_secret, asked))
    # The check is waited for by all that runs the image.
    image = Output.all(repository, aws.stable_image, keys).apply(lambda found: _image(config.image, *found[:2]))
    return Site(
        config=config,
        names=names,
        aws=aws,
        image=image,
        pull_secrets=_pull_secrets(config.image),
        priorities=Priorities(names.component("priorities"), PrioritiesArgs(names=names)),
    )


def _pull_secrets(image: ImageConfig) -> tuple[str, ...]:
    if image.refresh_credentials:
        return (SECRET,)
    return (image.pull_secret,) if image.pull_secret else ()


def _image(config: ImageConfig, repository: str, stable: str) -> str:
    """The reference of the image. RunError for another digest than the one in AWS's stable slot, if there is one."""
    if stable and stable != config.digest and not config.may_differ:
        raise pulumi.RunError(
            f"hybrid-serving:image.digest is {config.digest}: the stable slot of AWS runs {stable}, and both sites run "
            "one image; set it to that one, move the slot first, or, while AWS cannot be moved, set "
            "hybrid-serving:image.mayDiffer: true"
        )
    return str(ImageReference(repository=repository, digest=config.digest))


def _check_keys(secret: str, aws: bool) -> None:
    """RunError where one site asks for API keys and the other answers everybody: no client knows which it meets."""
    if bool(secret) == aws:
        return
    parameter = "hybrid-serving:fleet.apiKeysParameter"
    told, way = (
        (f"is {secret!r}: AWS answers everybody", f"set {parameter} there first, or remove it")
        if secret
        else ("is missing: AWS asks for API keys", f"set it, or remove {parameter} there first")
    )
    raise pulumi.RunError(f"hybrid-serving:serving.apiKeysSecret {told}, and both sites have keys or none; {way}")
