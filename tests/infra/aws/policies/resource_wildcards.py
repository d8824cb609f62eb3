"""Every wildcard in a policy that belongs to a resource, with its reason."""

from dataclasses import dataclass

_ACCOUNT, _REGION = "123456789012", "eu-central-1"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """`principal` may do `action` on `resource`, all three as they are written in the policy."""

    principal: str
    action: str
    resource: str


_KEY = 'a key policy says "*" for its own key'
_EVENTS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")

GRANTS = {
    Grant(principal=f"arn:aws:iam::{_ACCOUNT}:root", action="kms:*", resource="*"): f"{_KEY}; "
    "the account's own policies decide, or the key could be locked for ever (KMS guide, Default key policy)",
    **{
        Grant(principal=f"logs.{_REGION}.amazonaws.com", action=f"kms:{action}", resource="*"): f"{_KEY}; the actions "
        "are those of the CloudWatch Logs guide, Encrypt log data in CloudWatch Logs using KMS"
        for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*")
    },
    **{
        Grant(principal=service, action=action, resource="*"): f"{_KEY}; the actions are those of the SNS guide, "
        "Key management"
        for service in _EVENTS
        for action in ("kms:Decrypt", "kms:GenerateDataKey*")
    },
}
PATTERNS = {
    f"arn:aws:logs:{_REGION}:{_ACCOUNT}:log-group:*": "log groups get the key when they are made: their random ends "
    "are not known before, and only whoever may use the account's keys gives one to a group",
    f"arn:aws:logs:{_REGION}:{_ACCOUNT}:*": "AWS names the delivery (CloudWatch Logs guide, Logs sent to CloudWatch "
    "Logs)",
    f"arn:aws:budgets::{_ACCOUNT}:*": "all that the Cost Management guide documents for a budget's notification",
}
WITHOUT_ACCOUNT = {
    "logdelivery.elasticloadbalancing.amazonaws.com": "the ELB guide has no condition; the key has the account",
}
