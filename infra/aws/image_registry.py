"""The repository of the serving image."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.names import PROJECT, Names


@dataclass(frozen=True, kw_only=True)
class ImageRegistryArgs:
    names: Names
    protection: bool


class ImageRegistry(pulumi.ComponentResource):
    """One ECR repository. Tags cannot be moved, and nothing here reads them: everyone pulls by digest."""

    repository_url: Output[str]
    arn: Output[str]

    def __init__(self, name: str, args: ImageRegistryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:ImageRegistry", name, None, opts)
        repository = aws.ecr.Repository(
            f"{name}-serving",
            # A name of its own: mirrors and the on-prem image store keep it, a random suffix would travel with it.
            name=f"{PROJECT}/{args.names.environment}/serving",
            image_tag_mutability="IMMUTABLE",
            force_delete=not args.protection,
            tags=args.names.tags(f"{name}-serving"),
            opts=ResourceOptions(parent=self, protect=args.protection),
        )
        self.repository_url, self.arn = repository.repository_url, repository.arn
        self.register_outputs({"repository_url": self.repository_url, "arn": self.arn})
