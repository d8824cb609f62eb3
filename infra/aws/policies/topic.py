"""Who may publish to the topic of alarms."""

from infra.aws.policies.document import Condition, Document, Statement, allow, document
from infra.aws.policies.scope import Scope


def topic_policy(scope: Scope, topic_arn: str) -> Document:
    """Of AWS's services, this environment's alarms in CloudWatch and the account's budgets may publish.

    CloudWatch user guide, "Amazon SNS topics access policy"; Cost Management user guide, "Creating an Amazon SNS topic
    for budget notifications". For a budget the second documents the whole account only: that a budget's own ARN would
    do is said nowhere, and a notification that is refused is missed by nobody. People and roles of the account publish
    and subscribe by their own policies.
    """
    return document(
        _publish(scope, topic_arn, "cloudwatch", scope.alarms()),
        _publish(scope, topic_arn, "budgets", [f"arn:aws:budgets::{scope.account}:*"]),
    )


def _publish(scope: Scope, topic_arn: str, service: str, sources: list[str]) -> Statement:
    own: Condition = {"StringEquals": {"aws:SourceAccount": scope.account}, "ArnLike": {"aws:SourceArn": sources}}
    statement = allow(service.capitalize(), ["sns:Publish"], [topic_arn], own)
    return {**statement, "Principal": {"Service": f"{service}.amazonaws.com"}}
