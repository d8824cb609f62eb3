"""Names and tags of everything the stacks create."""

from dataclasses import dataclass

PROJECT = "hybrid-serving"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names things of one environment and stack role, so that each says where it belongs.

    The physical names stay Pulumi's (logical name + random suffix) wherever nobody has to know them in advance:
    a replacement can then exist beside the thing that it replaces.
    """

    environment: str
    role: str

    def component(self, part: str) -> str:
        """The name of a component; its children are named `f"{name}-..."`."""
        return f"{self.environment}-{part}"

    def metrics_namespace(self) -> str:
        """The CloudWatch namespace of the environment's own metrics (`infra.aws.metrics`)."""
        return f"HybridServing/{self.environment}"

    def iam_path(self) -> str:
        """The IAM path of the environment's roles: policies and a reader find them by it."""
        return f"/{PROJECT}/{self.environment}/"

    def tags(self, name: str) -> dict[str, str]:
        """The tags of one cloud resource; cost reports group by the first three."""
        return {
            "Project": PROJECT,
            "Environment": self.environment,
            "Role": self.role,
            "ManagedBy": "pulumi",
            "Name": name,
        }

    def labels(self, part: str) -> dict[str, str]:
        """The labels of one Kubernetes object; `app.kubernetes.io/name` selects the pods of a part."""
        return {
            "app.kubernetes.io/name": part,
            "app.kubernetes.io/part-of": PROJECT,
            "app.kubernetes.io/instance": self.environment,
            "app.kubernetes.io/managed-by": "pulumi",
        }

    def selector(self, part: str) -> dict[str, str]:
        """Those of the labels by which the pods of a part are found: they never change while it lives."""
        labels = self.labels(part)
        return {key: labels[key] for key in ("app.kubernetes.io/name", "app.kubernetes.io/instance")}

    def annotations(self) -> dict[str, str]:
        """The annotations of one Kubernetes object: a field that a hand changed is the stack's again with the next up.

        Without it the API server refuses what another field manager wrote last, and drift could only be looked at.
        """
        return {"pulumi.com/patchForce": "true"}

    def claim(self) -> dict[str, str]:
        """The annotations of a Kubernetes object that only one environment may have, whoever made it.

        It is written under the environment's name. What another environment has written there is refused by the API
        server instead of taken over, and the conflict says whose it is.
        """
        return {"pulumi.com/patchFieldManager": f"{PROJECT}-{self.environment}"}
