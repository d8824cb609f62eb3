"""Where alarms go: one encrypted topic, and the addresses that subscribe to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.policies import Document, Scope, render
from infra.aws.policies.document import allow, document
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

        def policy(known: list[str]) -> str:
            account, topic_arn = known
            return render(topic_policy(Scope(names=args.names, account=account, region=args.region), topic_arn))

        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        allowed = aws.sns.TopicPolicy(
            f"{name}-policy", arn=topic.arn, policy=Output.all(account, topic.arn).apply(policy), opts=child
        )
        for address in args.emails:
            aws.sns.TopicSubscription(
                f"{name}-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=child
            )
        self.arn = allowed.arn
        self.register_outputs({"arn": self.arn})


def topic_policy(scope: Scope, topic_arn: str) -> Document:
    """Of AWS's services, CloudWatch's alarms and Budgets may publish, for this environment of this account only.

    CloudWatch user guide, "Amazon SNS topics access policy"; Cost Management user guide, "Creating an Amazon SNS topic
    for budget notifications". People and roles of the account publish and subscribe by their own policies.
    """
    publishers = {
        "cloudwatch.amazonaws.com": scope.alarms(),
        "budgets.amazonaws.com": [scope.budgets()],
    }
    return document(
        *(
            {
                **allow(service.partition(".")[0].capitalize(), ["sns:Publish"], [topic_arn], _of(scope, sources)),
                "Principal": {"Service": service},
            }
            for service, sources in publishers.items()
        )
    )


def _of(scope: Scope, sources: list[str]) -> dict[str, dict[str, object]]:
    return {"StringEquals": {"aws:SourceAccount": scope.account}, "ArnLike": {"aws:SourceArn": sources}}
