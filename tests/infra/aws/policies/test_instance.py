from tests.infra.aws.policies.estates import ACCOUNT, LOG_GROUP, REGION, REPOSITORY, WORKLOADS
from tests.infra.aws.policies.evaluator import permits

GROUPS = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup"


def may(action: str, resource: str = "*", **context: str) -> bool:
    return permits([WORKLOADS["instance"]], action, resource, context | {"aws:RequestedRegion": REGION})


def test_an_instance_pulls_the_serving_image_and_no_other() -> None:
    assert may("ecr:GetAuthorizationToken")
    assert may("ecr:BatchGetImage", REPOSITORY)
    assert not may("ecr:BatchGetImage", REPOSITORY + "-other")
    assert not may("ecr:PutImage", REPOSITORY)


def test_an_instance_ends_lifecycle_actions_of_its_environments_groups_only() -> None:
    for action in ("autoscaling:CompleteLifecycleAction", "autoscaling:TerminateInstanceInAutoScalingGroup"):
        assert may(action, f"{GROUPS}:8d2f:autoScalingGroupName/prod-stable-1a2b3c4")
        assert not may(action, f"{GROUPS}:8d2f:autoScalingGroupName/dev-stable-1a2b3c4")
        assert not may(action, f"{GROUPS}:8d2f:autoScalingGroupName/production-stable")
    assert not may("autoscaling:SetDesiredCapacity", f"{GROUPS}:8d2f:autoScalingGroupName/prod-stable-1a2b3c4")


def test_an_instance_publishes_in_its_environments_namespace_only() -> None:
    def publish(namespace: str) -> bool:
        return permits([WORKLOADS["instance"]], "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": namespace})

    assert publish("HybridServing/prod")
    assert not publish("HybridServing/dev")
    assert not publish("AWS/EC2")
    assert not may("cloudwatch:PutMetricData")


def test_an_instance_writes_the_servers_logs_and_reads_none() -> None:
    assert may("logs:PutLogEvents", f"{LOG_GROUP}:log-stream:i-0123")
    assert may("logs:CreateLogStream", f"{LOG_GROUP}:log-stream:i-0123")
    assert not may("logs:PutLogEvents", f"{LOG_GROUP}-other:log-stream:i-0123")
    assert not may("logs:GetLogEvents", f"{LOG_GROUP}:log-stream:i-0123")


def test_the_log_groups_arn_may_be_given_in_both_ways() -> None:
    from infra.aws.policies.instance import run_instance
    from tests.infra.aws.policies.estates import SCOPE

    assert run_instance(SCOPE, LOG_GROUP) == run_instance(SCOPE, f"{LOG_GROUP}:*")


def test_an_instance_takes_sessions_but_reads_no_parameter_and_commands_no_other() -> None:
    assert may("ssmmessages:OpenDataChannel")
    for action in ("ssm:GetParameter", "ssm:SendCommand", "ssm:StartSession", "ec2messages:GetMessages"):
        assert not may(action, f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/x")
        assert not may(action)


def test_a_pod_reads_releases_and_images_and_has_nothing_else_of_an_instance() -> None:
    actions = {action for statement in WORKLOADS["onprem"]["Statement"] for action in statement["Action"]}
    assert {action.split(":")[0] for action in actions} == {"s3", "kms", "ecr"}
    assert not [action for action in actions if any(word in action for word in ("Put", "Delete", "Upload", "Write"))]
