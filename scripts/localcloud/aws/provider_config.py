"""The `aws:*` configuration of a local stack: every call goes to the local cloud, and can go nowhere else."""

import json

from scripts.localcloud.topology import ACCOUNT, REGION

SERVICES = ("acm", "autoscaling", "budgets", "cloudwatch", "ec2", "ecr", "elbv2", "events", "iam", "kms", "logs",
            "resourcegroupstaggingapi", "route53", "s3", "s3control", "sns", "sqs", "ssm", "sts", "wafv2")  # fmt: skip
"""The services that the stacks and the provider's own look-ups call, by the provider's endpoint names.

A service that is not named here is not reached at all: the bridge sends it to a port where nothing listens.
"""


def aws_provider_config(moto_url: str) -> dict[str, str]:
    """Keys and values (text, as `pulumi config set` takes them) that send the provider to `moto_url` for every service.

    The keys are not secret: they are made up, and moto takes any.
    """
    return {
        "aws:region": REGION,
        "aws:accessKey": "local",
        "aws:secretKey": "local",
        "aws:endpoints": json.dumps([{service: moto_url for service in SERVICES}]),
        "aws:allowedAccountIds": json.dumps([ACCOUNT]),
        "aws:skipCredentialsValidation": "true",
        "aws:skipMetadataApiCheck": "true",
        "aws:skipRequestingAccountId": "false",
        "aws:s3UsePathStyle": "true",
        # Attempts in all. More than one, because a busy machine may drop a connection; few, because what moto lacks is
        # answered with 500, which is tried again.
        "aws:maxRetries": "3",
    }
