"""Makes roles and policies for a component, all under the environment's IAM path."""

import pulumi_aws as aws
from pulumi import Input, Output, Resource, ResourceOptions

from infra.aws.policies import Document, render
from infra.names import Names


class Roles:
    """`<name>-<part>` for every role and policy, as children of `parent`."""

    def __init__(self, parent: Resource, name: str, names: Names) -> None:
        self._parent, self._name, self._names = parent, name, names

    def bounded(
        self, part: str, purpose: str, *, trust: Input[Document], boundary: Input[str], rights: Output[Document]
    ) -> aws.iam.Role:
        """A role of a workload: its rights are its own, and end at the boundary."""
        return self._with_rights(self._role(part, purpose, trust, boundary), part, rights)

    def unbounded(self, part: str, purpose: str, *, trust: Input[Document], rights: Output[Document]) -> aws.iam.Role:
        """A role with rights of its own and no boundary: only an administrator may write it."""
        return self._with_rights(self._role(part, purpose, trust, None), part, rights)

    def of_people(
        self, part: str, purpose: str, *, trust: Input[Document], policies: dict[str, Output[str]]
    ) -> aws.iam.Role:
        """A role that people and pipelines take: its rights are managed policies (ARNs by part), which it shares."""
        role = self._role(part, purpose, trust, None)
        for policy, arn in policies.items():
            aws.iam.RolePolicyAttachment(
                f"{self._name}-{part}-{policy}", role=role.name, policy_arn=arn, opts=self._child()
            )
        return role

    def policy(self, part: str, purpose: str, document: Output[Document]) -> Output[str]:
        """The ARN of a managed policy, which holds more than a role's own rights may."""
        name = f"{self._name}-{part}"
        return aws.iam.Policy(
            name,
            path=self._names.iam_path(),
            description=purpose,
            policy=document.apply(render),
            tags=self._names.tags(name),
            opts=self._child(),
        ).arn

    def profile(self, role: aws.iam.Role, part: str) -> Output[str]:
        """The name of the profile by which instances get the role."""
        name = f"{self._name}-{part}"
        return aws.iam.InstanceProfile(
            name, path=self._names.iam_path(), role=role.name, tags=self._names.tags(name), opts=self._child()
        ).name

    def _with_rights(self, role: aws.iam.Role, part: str, rights: Output[Document]) -> aws.iam.Role:
        aws.iam.RolePolicy(
            f"{self._name}-{part}-rights", role=role.name, policy=rights.apply(render), opts=self._child()
        )
        return role

    def _role(self, part: str, purpose: str, trust: Input[Document], boundary: Input[str] | None) -> aws.iam.Role:
        name = f"{self._name}-{part}"
        return aws.iam.Role(
            name,
            path=self._names.iam_path(),
            description=purpose,
            assume_role_policy=Output.from_input(trust).apply(render),
            permissions_boundary=boundary,
            tags=self._names.tags(name),
            opts=self._child(),
        )

    def _child(self) -> ResourceOptions:
        return ResourceOptions(parent=self._parent)
