"""IAM and bucket policies: who may do what to which resource. Pure functions from ARNs and names to documents."""

from infra.aws.policies.document import Document, Statement, render
from infra.aws.policies.scope import Scope

__all__ = ["Document", "Scope", "Statement", "render"]
