"""Which role has which documents. The roles themselves are made in `infra.aws.identity`."""

from dataclasses import dataclass

from infra.aws.policies.build import build_machine_image
from infra.aws.policies.deploy_build import change_builds, read_builds
from infra.aws.policies.deploy_data import change_data
from infra.aws.policies.deploy_edge import change_edge, change_fleet
from infra.aws.policies.deploy_identity import change_identity
from infra.aws.policies.deploy_network import change_network
from infra.aws.policies.deploy_watch import change_dns, change_watch
from infra.aws.policies.document import Document, joined, summed
from infra.aws.policies.instance import run_instance
from infra.aws.policies.lists import look_around
from infra.aws.policies.logs import write_flow_logs
from infra.aws.policies.preview import see_no_secrets
from infra.aws.policies.registry import collect, publish, pull_image, read_releases
from infra.aws.policies.scope import Scope
from infra.aws.policies.settings import read_settings

# The workloads whose roles deploy writes; publisher and collector are an administrator's (`deploy_identity`).
BOUNDED = ("instance", "onprem", "build")
READS = ("lists", "settings")
PREVIEW = (*READS, "secrets")
DEPLOY = (*READS, "network", "edge", "data", "watch", "identity")


@dataclass(frozen=True, kw_only=True)
class Estate:
    """What rights are about. `domain` is the service's name, `issuer` the cluster's; ARNs are of this environment."""

    scope: Scope
    bucket_arn: str
    key_arn: str
    repository_arn: str
    log_group_arn: str
    issuer: str
    domain: str
    ami_parameter: str
    api_keys_parameter: str


def workload_rights(estate: Estate) -> dict[str, Document]:
    """By role: what instances, on-prem pods, publisher, collector and builds of machine images may do."""
    scope, bucket, key = estate.scope, estate.bucket_arn, estate.key_arn
    reads = read_releases(scope, bucket, key)
    return {
        "instance": joined(
            reads,
            pull_image(estate.repository_arn),
            run_instance(scope, estate.log_group_arn, estate.api_keys_parameter),
        ),
        "build": build_rights(scope, bucket, key, estate.repository_arn),
        "onprem": joined(reads, pull_image(estate.repository_arn)),
        "publisher": publish(scope, bucket, key, estate.repository_arn),
        "collector": collect(scope, bucket, key),
    }


def build_rights(scope: Scope, bucket_arn: str, key_arn: str, repository_arn: str) -> Document:
    """What a build may do: pull the image and read the releases like an instance, and be Image Builder's machine."""
    return joined(read_releases(scope, bucket_arn, key_arn), pull_image(repository_arn), build_machine_image(scope))


def boundary(estate: Estate) -> Document:
    """The most that a role written by deploy can do: what the workloads in BOUNDED and flow logs may, together.

    No release, channel or image is written or deleted within it.
    """
    documents = workload_rights(estate)
    flow_logs = write_flow_logs(estate.scope, estate.scope.log_groups())
    return summed(*(documents[part] for part in BOUNDED), flow_logs)


def people_rights(estate: Estate, boundary_arn: str) -> dict[str, Document]:
    """By policy: what PREVIEW and DEPLOY are put together from."""
    scope = estate.scope
    return {
        "lists": look_around(scope),
        "settings": joined(
            read_settings(scope, issuer=estate.issuer, ami_parameter=estate.ami_parameter), read_builds(scope)
        ),
        "secrets": see_no_secrets(scope, estate.bucket_arn, estate.key_arn, ami_parameter=estate.ami_parameter),
        "network": change_network(scope),
        "edge": joined(change_edge(scope), change_fleet(scope)),
        "data": joined(change_data(scope), change_builds(scope)),
        "watch": joined(change_watch(scope), change_dns(scope, estate.domain)),
        "identity": change_identity(scope, boundary_arn, estate.issuer),
    }
