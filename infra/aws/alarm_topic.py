"""Where alarms go: one encrypted topic, and the addresses that subscribe to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.account import scope_output
from infra.aws.policies import render
from infra.aws.policies.topic import topic_policy
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class AlarmTopicArgs:
    """`key_arn` is a key that CloudWatch and Budgets may use: they publish in their own name."""

    names: Names
    region: str
    key_arn: Input[str]
    emails: Sequence[str]


class AlarmTopic(pulumi.ComponentResource):
    """A topic for this environment's alarms and budgets. Each address gets a mail with a link to confirm."""

    arn: Output[str]
    """Known only when alarms and budgets may publish there."""

    def __init__(self, name: str, args: AlarmTopicArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:AlarmTopic", name, None, opts)
        child = ResourceOptions(parent=self)
        topic = aws.sns.Topic(
            f"{name}-topic", kms_master_key_id=args.key_arn, tags=args.names.tags(f"{name}-topic"), opts=child
        )
        scope = scope_output(args.names, args.region, self)
        policy = Output.all(scope, topic.arn).apply(lambda known: render(topic_policy(*known)))
        allowed = aws.sns.TopicPolicy(f"{name}-policy", arn=topic.arn, policy=policy, opts=child)
        for address in args.emails:
            aws.sns.TopicSubscription(
                f"{name}-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=child
            )
        self.arn = allowed.arn
        self.register_outputs({"arn": self.arn})
