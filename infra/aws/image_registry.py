"""The repository of the serving image."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.names import Names

# A push that died, or a layer index that was replaced, leaves images that no tag leads to.
UNTAGGED_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class ImageRegistryArgs:
    names: Names
    protection: bool


class ImageRegistry(pulumi.ComponentResource):
    """One ECR repository. Tags cannot be moved, and nothing here reads them: everyone pulls by digest.

    Each push is scanned for known vulnerabilities. Only untagged images expire: a serving image is pushed with a tag,
    so the digest that a slot or the site is pinned to stays.
    """

    repository_url: Output[str]
    arn: Output[str]

    def __init__(self, name: str, args: ImageRegistryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:ImageRegistry", name, None, opts)
        repository = aws.ecr.Repository(
            f"{name}-serving",
            # A name of its own: mirrors and the on-prem image store keep it, a random suffix would travel with it.
            name=f"{args.names.iam_path()[1:]}serving",
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            force_delete=not args.protection,
            tags=args.names.tags(f"{name}-serving"),
            opts=ResourceOptions(parent=self, protect=args.protection),
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-lifecycle",
            repository=repository.name,
            policy=lifecycle_policy(),
            opts=ResourceOptions(parent=self),
        )
        self.repository_url, self.arn = repository.repository_url, repository.arn
        self.register_outputs({"repository_url": self.repository_url, "arn": self.arn})


def lifecycle_policy() -> str:
    """Untagged images go after UNTAGGED_DAYS days (ECR user guide, "Lifecycle policy properties")."""
    rule = {
        "rulePriority": 1,
        "description": "images that no tag leads to",
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": UNTAGGED_DAYS,
        },
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})
