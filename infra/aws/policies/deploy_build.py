"""Builds of machine images: what a preview and an `up` read of them, and what an `up` changes.

A build's steps run with the role that it is given, as an instance's user data does: one of the environment, within the
boundary (`deploy_identity`). Machine images and their snapshots are not deleted.
"""

from infra.aws.policies.deploy_data import LOG_GROUP
from infra.aws.policies.document import Document, allow, document
from infra.aws.policies.scope import Scope

# By the kind in an ARN. What a component or a recipe says is never changed: another one is made.
_KINDS = {
    "component": "Component",
    "distribution-configuration": "DistributionConfiguration",
    "image": "Image",
    "image-recipe": "ImageRecipe",
    "infrastructure-configuration": "InfrastructureConfiguration",
}
_CHANGED = ("DistributionConfiguration", "InfrastructureConfiguration")


def read_builds(scope: Scope) -> Document:
    """How builds are set, what came of them, and their log group's tags."""
    reads = [*(f"Get{kind}" for kind in _KINDS.values()), "ListTagsForResource"]
    return document(
        allow("ReadBuilds", _imagebuilder(reads), _builds(scope)),
        allow("ReadBuildLogGroup", ["logs:ListTagsForResource"], [scope.build_logs()]),
    )


def change_builds(scope: Scope) -> Document:
    """Builds by the environment's names. Their log group, unlike that of servers, goes with them."""
    changes = [
        *(f"{verb}{kind}" for verb in ("Create", "Delete") for kind in _KINDS.values()),
        *(f"Update{kind}" for kind in _CHANGED),
        "TagResource",
        "UntagResource",
    ]
    return document(
        allow("Build", _imagebuilder(changes), _builds(scope)),
        allow("SetBuildLogs", [*LOG_GROUP, "logs:DeleteLogGroup"], [scope.build_logs()]),
        # Who makes a recipe must see the machine image that it starts from.
        allow("SeeMachineImages", ["ec2:DescribeImages"], ["*"], scope.here()),
    )


def _builds(scope: Scope) -> list[str]:
    return [scope.own("imagebuilder", f"{kind}/") for kind in _KINDS]


def _imagebuilder(names: list[str]) -> list[str]:
    return [f"imagebuilder:{name}" for name in names]
