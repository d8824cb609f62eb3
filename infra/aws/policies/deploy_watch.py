"""What `pulumi up` changes in alarms, dashboards, topics, budgets and DNS."""

from infra.aws.policies.document import Condition, Document, allow, document
from infra.aws.policies.scope import Scope

_ALARM = (
    "cloudwatch:DeleteAlarms",
    "cloudwatch:PutCompositeAlarm",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:TagResource",
    "cloudwatch:UntagResource",
)
_TOPIC = (
    "sns:CreateTopic",
    "sns:DeleteTopic",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sns:TagResource",
    "sns:UntagResource",
)
_HEALTH_CHECK = (
    "route53:ChangeTagsForResource",
    "route53:DeleteHealthCheck",
    "route53:GetHealthCheck",
    "route53:UpdateHealthCheck",
)


def change_watch(scope: Scope) -> Document:
    """Alarms, dashboard, topic and budget by the environment's names."""
    return document(
        allow("Alarm", _ALARM, scope.alarms()),
        allow("Show", ["cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"], [scope.dashboards()]),
        allow("Notify", _TOPIC, scope.topics()),
        # A subscription's ARN starts with its topic's, but these two are offered only without a resource.
        allow("ChangeSubscriptions", ["sns:SetSubscriptionAttributes", "sns:Unsubscribe"], ["*"], scope.here()),
        allow(
            "Limit",
            ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"],
            [scope.budgets()],
        ),
    )


def change_dns(scope: Scope, domain: str) -> Document:
    """The records of the service's own name and of names below it (its certificate's proof), and health checks.

    A health check has neither a name nor tags that policies could go by, only an id.
    """
    key = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
    names: Condition = {"ForAllValues:StringLike": {key: [domain, f"*.{domain}"]}, "Null": {key: "false"}}
    zones = ["arn:aws:route53:::hostedzone/*"]
    return document(
        allow("SetOwnRecords", ["route53:ChangeResourceRecordSets"], zones, names),
        allow("WaitForRecords", ["route53:GetChange"], ["arn:aws:route53:::change/*"]),
        allow("AddHealthChecks", ["route53:CreateHealthCheck"], ["*"], scope.here()),
        allow("ChangeHealthChecks", _HEALTH_CHECK, ["arn:aws:route53:::healthcheck/*"]),
        # Making an interface endpoint with the service's usual name puts a zone of AWS's own into the VPC.
        allow("ResolveEndpoints", ["route53:AssociateVPCWithHostedZone"], zones, {"Null": {"route53:VPCs": "false"}}),
    )
