import json
from functools import cache

import pytest

from infra.aws.logs import Logs, LogsArgs
from infra.aws.policies import Scope
from infra.aws.policies.logs import access_log_policy, delivery_policy
from infra.names import Names
from tests.infra.aws.policies.evaluator import applies, gives
from tests.infra.engine import ACCOUNT, Declaration, declare

NAMES = Names(environment="prod", role="aws")
SCOPE = Scope(names=NAMES, account=ACCOUNT, region="eu-central-1")
BUCKET = "arn:aws:s3:::access"
GROUP = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:tunnels"
ELB, S3 = "logdelivery.elasticloadbalancing.amazonaws.com", "logging.s3.amazonaws.com"


@cache
def logs(*, protection: bool = True) -> Declaration:
    import pulumi

    args = LogsArgs(names=NAMES, region="eu-central-1", days=90, protection=protection)

    def program() -> None:
        made = Logs("prod-logs", args)
        pulumi.export("access_bucket", made.access_bucket)
        pulumi.export("tunnel_group_arn", made.tunnel_group_arn)

    return declare(program)


def may_write(service: str, key: str, context: dict[str, str]) -> bool:
    """Whether the access logs' bucket lets a service put an object, over TLS."""
    known = {"aws:SecureTransport": "true", **context}
    return gives(access_log_policy(SCOPE, BUCKET), {"Service": service}, "s3:PutObject", f"{BUCKET}/{key}", known)


def test_every_log_group_is_encrypted_and_forgets() -> None:
    groups = logs().of(":LogGroup")
    assert {group.name for group in groups} == {"prod-logs-flows", "prod-logs-servers", "prod-logs-tunnels"}
    for group in groups:
        assert group.inputs["kmsKeyId"] == "arn:aws:test:::prod-logs-key-key"
        assert group.inputs["retentionInDays"] == 90


def test_the_key_is_for_logs_alarms_and_the_budget() -> None:
    statements = json.loads(logs().one("kms/key:Key").inputs["policy"])["Statement"]
    services = {statement["Principal"].get("Service") for statement in statements} - {None}
    assert services == {"logs.eu-central-1.amazonaws.com", "cloudwatch.amazonaws.com", "budgets.amazonaws.com"}


def test_the_access_logs_are_private_encrypted_and_forgotten() -> None:
    declared = logs()
    private = declared.one(":BucketPublicAccessBlock").inputs
    assert all(private[key] for key in private if key != "bucket")
    (rule,) = declared.one(":BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    (forget,) = declared.one(":BucketLifecycleConfiguration").inputs["rules"]
    assert forget["expiration"] == {"days": 90}
    assert forget["filter"] == {"prefix": ""}


@pytest.mark.parametrize("prefix", ["", "edge/", "a/b/"])
def test_this_accounts_load_balancers_may_write_under_any_prefix(prefix: str) -> None:
    assert may_write(ELB, f"{prefix}AWSLogs/{ACCOUNT}/elasticloadbalancing/x.log.gz", {})
    assert not may_write(ELB, f"{prefix}AWSLogs/999999999999/elasticloadbalancing/x.log.gz", {})


def test_load_balancers_may_write_nothing_but_logs() -> None:
    assert not may_write(ELB, "registry/2026-11-25", {})


def test_this_accounts_buckets_may_write() -> None:
    assert may_write(S3, "registry/2026-11-25", {"aws:SourceAccount": ACCOUNT})
    assert not may_write(S3, "registry/2026-11-25", {"aws:SourceAccount": "999999999999"})
    assert not may_write(S3, "registry/2026-11-25", {})


@pytest.mark.parametrize("service", ["delivery.logs.amazonaws.com", "ec2.amazonaws.com"])
def test_no_other_service_may_write(service: str) -> None:
    assert not may_write(service, f"AWSLogs/{ACCOUNT}/x", {"aws:SourceAccount": ACCOUNT})


@pytest.mark.parametrize("resource", [BUCKET, f"{BUCKET}/AWSLogs/x"])
@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteBucket"])
def test_the_access_logs_refuse_requests_without_tls(action: str, resource: str) -> None:
    refusals = [s for s in access_log_policy(SCOPE, BUCKET)["Statement"] if s["Effect"] == "Deny"]
    assert [s["Principal"] for s in refusals] == ["*"]
    assert applies(refusals[0], action, resource, {"aws:SecureTransport": "false"})
    assert not applies(refusals[0], action, resource, {"aws:SecureTransport": "true"})
    assert not may_write(ELB, f"AWSLogs/{ACCOUNT}/x", {"aws:SecureTransport": "false"})


def test_the_declared_policy_is_that_one() -> None:
    declared = json.loads(logs().one(":BucketPolicy").inputs["policy"])
    assert declared == access_log_policy(SCOPE, "arn:aws:test:::prod-logs-access-bucket")


def test_whoever_uses_the_access_bucket_waits_for_its_policy() -> None:
    """The output is the policy's own, so that what depends on it depends on the policy."""
    import pulumi_aws as aws

    def program() -> None:
        made = Logs("prod-logs", LogsArgs(names=NAMES, region="eu-central-1", days=90, protection=True))
        aws.s3.BucketLogging("user", bucket="b", target_bucket=made.access_bucket, target_prefix="x/")
        aws.ec2.FlowLog("tunnels", log_destination=made.tunnel_group_arn)

    declared = declare(program)
    assert "prod-logs-access-policy" in declared.one(":BucketLogging").depends_on
    assert "prod-logs-delivery" in declared.one(":FlowLog").depends_on


def may_deliver(action: str, resource: str = f"{GROUP}:log-stream:x", **context: str) -> bool:
    known = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:logs:eu-central-1:{ACCOUNT}:delivery:x"}
    return gives(
        delivery_policy(SCOPE, GROUP), {"Service": "delivery.logs.amazonaws.com"}, action, resource, known | context
    )


def test_tunnel_logs_are_delivered_for_this_account_and_into_their_group_only() -> None:
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        assert may_deliver(action)
        assert not may_deliver(action, resource=GROUP.replace("tunnels", "servers") + ":log-stream:x")
        assert not may_deliver(action, **{"aws:SourceAccount": "999999999999"})
        assert not may_deliver(action, **{"aws:SourceArn": "arn:aws:logs:eu-central-1:999999999999:delivery:x"})
    assert not may_deliver("logs:DeleteLogStream")
    assert not may_deliver("logs:GetLogEvents")


@pytest.mark.parametrize("protection", [True, False])
def test_protection_covers_the_logs_and_the_key_that_reads_them(protection: bool) -> None:
    declared = logs(protection=protection)
    kept = {resource.name for resource in declared.resources if resource.protect}
    parts = ("access-bucket", "flows", "key-key", "servers", "tunnels")
    assert kept == ({f"prod-logs-{part}" for part in parts} if protection else set())
    assert declared.one(":Bucket").inputs["forceDestroy"] is not protection
