"""The documents meet moto: its IAM checks how they are written, and for S3 it decides by them.

moto looks at actions, resources and effects of a role's own policies; conditions, boundaries and (patched or not) the
bucket's policy it cannot judge. For these there are the tests beside this one.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from infra.aws.policies import Document, render, rights
from infra.aws.policies.trust import trust_branch, trust_principals, trust_pull_requests, trust_service_accounts
from infra.config.access import GithubConfig
from tests.infra.aws.policies.estates import (
    ACCOUNT,
    BUCKET,
    BUCKET_POLICY,
    DOCUMENTS,
    ISSUER,
    PEOPLE,
    REGION,
    WORKLOADS,
)

NAME = BUCKET.rpartition(":")[2]
WEIGHTS, CHANNEL = "releases/minilm/abc/model.safetensors", "channels/minilm.json"
ROOT = trust_principals([f"arn:aws:iam::{ACCOUNT}:root"])
GITHUB = GithubConfig(repository="shop/serving", branch="main", create_provider=True)
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
TRUST = {
    "principals": ROOT,
    "pods": trust_service_accounts(PROVIDER, ISSUER, ["serving/serving", "a/b"]),
    "pull requests": trust_pull_requests(PROVIDER, GITHUB),
    "branch": trust_branch(PROVIDER, GITHUB),
}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.mark.parametrize("name", DOCUMENTS)
def test_iam_takes_every_policy(name: str) -> None:
    made = boto3.client("iam").create_policy(PolicyName="x", PolicyDocument=render(DOCUMENTS[name]))
    assert made["Policy"]["Arn"]


@pytest.mark.parametrize("name", TRUST)
def test_iam_takes_every_trust_policy(name: str) -> None:
    made = boto3.client("iam").create_role(RoleName="x", AssumeRolePolicyDocument=render(TRUST[name]))
    assert made["Role"]["AssumeRolePolicyDocument"] == TRUST[name]


def test_iam_would_have_refused_a_malformed_one() -> None:
    broken = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3"], "Resource": ["nowhere"]}]}
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        boto3.client("iam").create_policy(PolicyName="x", PolicyDocument=json.dumps(broken))


def test_s3_takes_the_buckets_policy() -> None:
    s3 = make_bucket()
    s3.put_bucket_policy(Bucket=NAME, Policy=render(BUCKET_POLICY))
    assert json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"]) == BUCKET_POLICY


def make_bucket() -> Any:
    """A client that nobody limits, and the bucket with a release and a channel in it."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    for key in (WEIGHTS, CHANNEL):
        s3.put_object(Bucket=NAME, Key=key, Body=b"x")
    return s3


def as_role(*documents: Document) -> Any:
    """An S3 client with a session of a role that has these policies."""
    iam = boto3.client("iam")
    role = iam.create_role(RoleName="role", Path="/hybrid-serving/prod/", AssumeRolePolicyDocument=render(ROOT))
    for index, document in enumerate(documents):
        policy = iam.create_policy(PolicyName=f"policy-{index}", PolicyDocument=render(document))
        iam.attach_role_policy(RoleName="role", PolicyArn=policy["Policy"]["Arn"])
    taken = boto3.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="test")["Credentials"]
    return boto3.client(
        "s3",
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )


def possible(call: Callable[[], Any]) -> bool:
    """Whether moto's IAM lets the call through."""
    try:
        set_initial_no_auth_action_count(0)(call)()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("AccessDenied", "403"):
            return False
        raise
    return True


def what_is_possible(s3: Any) -> dict[str, bool]:
    version = boto3.client("s3").list_object_versions(Bucket=NAME, Prefix=WEIGHTS)["Versions"][0]["VersionId"]
    return {
        "list": possible(lambda: s3.list_objects_v2(Bucket=NAME)),
        "read a channel": possible(lambda: s3.get_object(Bucket=NAME, Key=CHANNEL)),
        "read a release": possible(lambda: s3.get_object(Bucket=NAME, Key=WEIGHTS)),
        "write a channel": possible(lambda: s3.put_object(Bucket=NAME, Key=CHANNEL, Body=b"y")),
        "write a release": possible(lambda: s3.put_object(Bucket=NAME, Key="releases/minilm/def/x", Body=b"y")),
        "delete a channel": possible(lambda: s3.delete_object(Bucket=NAME, Key=CHANNEL)),
        "delete a release": possible(lambda: s3.delete_object(Bucket=NAME, Key=WEIGHTS)),
        "delete a version": possible(lambda: s3.delete_object(Bucket=NAME, Key=WEIGHTS, VersionId=version)),
    }


READS = {"list", "read a channel", "read a release"}
WRITES = {"write a channel", "write a release"}
EVERYTHING: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}],
}


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([WORKLOADS["instance"]], READS),
        ([WORKLOADS["onprem"]], READS),
        ([WORKLOADS["build"]], READS),
        ([WORKLOADS["publisher"]], READS | WRITES),
        ([WORKLOADS["collector"]], READS | {"write a channel", "delete a release"}),
        ([PEOPLE[part] for part in rights.PREVIEW], {"list"}),
        ([PEOPLE[part] for part in rights.DEPLOY], {"list"}),
    ],
    ids=["instance", "onprem", "build", "publisher", "collector", "preview", "deploy"],
)
def test_a_session_of_each_role_can_do_what_it_should_with_real_objects(
    documents: list[Document], expected: set[str]
) -> None:
    make_bucket()
    found = {what for what, yes in what_is_possible(as_role(*documents)).items() if yes}
    # moto asks for s3:DeleteObject when a version is deleted, AWS for s3:DeleteObjectVersion: who has one has both.
    assert found - {"delete a version"} == expected
    assert ("delete a version" in found) is ("delete a release" in found)


def test_preview_reads_no_weights_even_if_somebody_lets_it_do_everything_in_s3() -> None:
    make_bucket()
    s3 = as_role(*(PEOPLE[part] for part in rights.PREVIEW), EVERYTHING)
    found = {what for what, yes in what_is_possible(s3).items() if yes}
    assert not found & {"read a release", "read a channel"}
    assert "write a release" in found, "moto did not decide by the policies"
