"""A second look at how actions are spelt, by the SDK's own models of the services: our table could be wrong too."""

from fnmatch import fnmatchcase

import botocore.session

from tests.infra.aws.policies.walk import AUTHORIZATION, statements


def test_every_refusal_is_about_actions_that_exist() -> None:
    for _, statement in statements("Deny"):
        for pattern in statement["Action"]:
            if "*" in pattern:
                service, _, names = pattern.partition(":")
                assert [op for op in operations(service) if fnmatchcase(op, names)], pattern


# Where IAM has its own name for what the API calls otherwise.
BOTOCORE = {"elasticloadbalancing": "elbv2"}
NO_OPERATIONS = {"ec2messages", "ssmmessages"}
NAMED_OTHERWISE = {
    "budgets:ModifyBudget": "UpdateBudget",
    "budgets:ViewBudget": "DescribeBudget",
    "iam:PassRole": "CreateInstanceProfile",
    "kms:ReEncryptFrom": "ReEncrypt",
    "s3:DeleteObjectVersion": "DeleteObject",
    "s3:GetAccelerateConfiguration": "GetBucketAccelerateConfiguration",
    "s3:GetBucketCORS": "GetBucketCors",
    "s3:GetBucketObjectLockConfiguration": "GetObjectLockConfiguration",
    "s3:GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "s3:GetEncryptionConfiguration": "GetBucketEncryption",
    "s3:GetLifecycleConfiguration": "GetBucketLifecycleConfiguration",
    "s3:GetObjectVersion": "GetObject",
    "s3:GetObjectVersionForReplication": "PutBucketReplication",
    "s3:GetReplicationConfiguration": "GetBucketReplication",
    "s3:ListBucket": "ListObjectsV2",
    "s3:ListBucketMultipartUploads": "ListMultipartUploads",
    "s3:ListBucketVersions": "ListObjectVersions",
    "s3:ListMultipartUploadParts": "ListParts",
    "s3:PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "s3:PutEncryptionConfiguration": "PutBucketEncryption",
    "s3:PutLifecycleConfiguration": "PutBucketLifecycleConfiguration",
}
# Rights that are asked for by calls of other names, or of another API of the service.
NO_CALL_OF_THAT_NAME = {
    "elasticloadbalancing:CreateWebACLAssociation",
    "elasticloadbalancing:DeleteWebACLAssociation",
    "elasticloadbalancing:GetLoadBalancerWebACL",
    "elasticloadbalancing:SetWebAcl",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:UpdateLogDelivery",
    "s3:ListTagsForResource",
    "s3:TagResource",
    "s3:UntagResource",
    "ssm:UpdateInstanceInformation",
}


def operations(service: str) -> list[str]:
    model = botocore.session.get_session().get_service_model(BOTOCORE.get(service, service))
    return list(model.operation_names)


def test_every_action_is_an_operation_of_its_service() -> None:
    """A second look at the spelling, by the SDK's own models: the table above could be wrong too."""
    known = {service: set(operations(service)) for service in {a.split(":")[0] for a in AUTHORIZATION} - NO_OPERATIONS}
    misspelt = [
        action
        for action in AUTHORIZATION
        if action.split(":")[0] in known
        and action not in NO_CALL_OF_THAT_NAME
        and NAMED_OTHERWISE.get(action, action.split(":")[1]) not in known[action.split(":")[0]]
    ]
    assert misspelt == []
    assert NAMED_OTHERWISE.keys() | NO_CALL_OF_THAT_NAME <= AUTHORIZATION.keys()
