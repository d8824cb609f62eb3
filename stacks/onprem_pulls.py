"""Who keeps the permission to pull images fresh in the stack `<env>-onprem`: nobody, or a job beside the servers."""

from collections.abc import Sequence

from pulumi import Input

from infra.onprem.flow import Flow
from infra.onprem.pull_secrets import PART, PullSecrets, PullSecretsArgs
from infra.onprem.pull_secrets_flows import pull_secrets_flows
from stacks.onprem_site import Site


def refresh_pull_secrets(site: Site, serving: Input[str], others: Sequence[Input[str]]) -> None:
    """Declare the job in the namespace `serving`, for the Secrets there and in `others`."""
    if site.config.image.refresh_credentials:
        PullSecrets(
            site.names.component(PART),
            PullSecretsArgs(
                names=site.names,
                namespace=serving,
                secret_namespaces=[serving, *others],
                image=site.image,
                aws=site.access(site.aws.onprem_role_arn),
            ),
        )


def pull_flows(site: Site) -> list[Flow]:
    """What the job needs of the network in the servers' namespace."""
    if not site.config.image.refresh_credentials:
        return []
    return pull_secrets_flows(site.config.network_policy, site.names.selector(PART))
