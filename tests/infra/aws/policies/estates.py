"""One environment as the tests of policies see it, and every document that is about it."""

from dataclasses import replace

from infra.aws.policies import Scope, rights
from infra.aws.policies.keys import key_policy
from infra.aws.policies.logs import access_log_policy, delivery_policy
from infra.aws.policies.registry import registry_bucket
from infra.aws.policies.topic import topic_policy
from infra.names import Names

ACCOUNT, OTHER_ACCOUNT, REGION = "123456789012", "999988887777", "eu-central-1"
SCOPE = Scope(names=Names(environment="prod", role="aws"), account=ACCOUNT, region=REGION)
BUCKET = "arn:aws:s3:::prod-models-bucket-1a2b3c4"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11112222-3333-4444-5555-666677778888"
REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/hybrid-serving/prod/serving"
LOG_GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:prod-logs-servers-1a2b3c4"
TUNNEL_GROUP = LOG_GROUP.replace("servers", "tunnels")
ACCESS_BUCKET = "arn:aws:s3:::prod-logs-access-bucket-1a2b3c4"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:prod-watch-alarms-topic-1a2b3c4"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/hybrid-serving/prod/prod-identity-boundary-1a2b3c4"
ISSUER, DOMAIN = "https://oidc.shop.example/onprem", "search.shop.example"
AMI_PARAMETER = "/aws/service/some-image/latest/ami-id"
API_KEYS_PARAMETER = "/shop/serving/api-keys"

ESTATE = rights.Estate(
    scope=SCOPE,
    bucket_arn=BUCKET,
    key_arn=KEY,
    repository_arn=REPOSITORY,
    log_group_arn=LOG_GROUP,
    issuer=ISSUER,
    domain=DOMAIN,
    ami_parameter=AMI_PARAMETER,
    api_keys_parameter=API_KEYS_PARAMETER,
)
# As long as settings can make it: what fits here fits everywhere (`infra.config`; IAM: 255 characters of an issuer).
LONGEST = replace(
    ESTATE,
    scope=Scope(names=Names(environment="x" * 10, role="aws"), account=ACCOUNT, region="ap-southeast-2"),
    bucket_arn=f"arn:aws:s3:::{'x' * 63}",
    repository_arn=f"arn:aws:ecr:ap-southeast-2:{ACCOUNT}:repository/hybrid-serving/{'x' * 10}/serving",
    log_group_arn=f"arn:aws:logs:ap-southeast-2:{ACCOUNT}:log-group:{'x' * 40}",
    issuer=f"https://{'i' * 247}",
    domain="d" * 253,
    ami_parameter=f"/{'a' * 200}",
    api_keys_parameter=f"/{'k' * 200}",
)


WORKLOADS = rights.workload_rights(ESTATE)
PEOPLE = rights.people_rights(ESTATE, BOUNDARY)
PREVIEW = [PEOPLE[part] for part in rights.PREVIEW]
DEPLOY = [PEOPLE[part] for part in rights.DEPLOY]
MOST = rights.boundary(ESTATE)
BUCKET_POLICY = registry_bucket(SCOPE, BUCKET, KEY)
# Everything that is attached to a role.
DOCUMENTS = {**WORKLOADS, **PEOPLE, "boundary": MOST}
# Everything that is attached to something else: a resource's own policy.
KEY_USERS = (f"logs.{REGION}.amazonaws.com", "cloudwatch.amazonaws.com", "budgets.amazonaws.com")
RESOURCES = {
    "access logs": access_log_policy(SCOPE, ACCESS_BUCKET),
    "delivery": delivery_policy(SCOPE, TUNNEL_GROUP),
    "key": key_policy(SCOPE, KEY_USERS),
    "registry": BUCKET_POLICY,
    "topic": topic_policy(SCOPE, TOPIC),
}


def role(part: str, suffix: str = "1a2b3c4") -> str:
    """The ARN of one of the environment's roles."""
    return f"arn:aws:iam::{ACCOUNT}:role/hybrid-serving/prod/prod-identity-{part}-{suffix}"


def tags(environment: str = "prod", *, of: str = "aws:ResourceTag") -> dict[str, str]:
    """What a request knows of a resource's tags, or of those that it gives."""
    return {f"{of}/Environment": environment, f"{of}/Project": "hybrid-serving"}
