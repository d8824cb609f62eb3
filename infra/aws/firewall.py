"""The firewall in front of the load balancer: AWS's own rules against known attacks, and a limit for each address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pulumi
import pulumi_aws as aws
from pulumi import Input, ResourceOptions

from infra.names import Names

WINDOW_SECONDS = 300
RETRY_AFTER_SECONDS = 60
# AWS's rule groups in the order in which they are asked, cheap ones first (WAF guide, "AWS Managed Rules rule groups
# list"). Together with the limit they need 927 of the 1500 capacity units that a firewall has without extra cost.
MANAGED = {
    "reputation": "AWSManagedRulesAmazonIpReputationList",
    "bad-inputs": "AWSManagedRulesKnownBadInputsRuleSet",
    "common": "AWSManagedRulesCommonRuleSet",
}
# Only counted, because they refuse what is everyday life here: bodies above 8 KB, which a list of texts to embed or to
# rank soon has (the server has its own limit); product texts in HTML, which the server only reads and never shows; and
# clients that are programs and do not say which.
COUNTED = {"common": ["SizeRestrictions_BODY", "CrossSiteScripting_BODY", "NoUserAgent_HEADER"]}

T = TypeVar("T")
Rule = aws.wafv2.WebAclRuleArgs
Statement = aws.wafv2.WebAclRuleStatementArgs


@dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """`rate_limit`: requests that one address may send in 5 minutes; more are answered with 429 until it sends less."""

    names: Names
    load_balancer_arn: Input[str]
    rate_limit: int


class Firewall(pulumi.ComponentResource):
    """A web ACL with the load balancer behind it. What no rule stops passes."""

    def __init__(self, name: str, args: FirewallArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Firewall", name, None, opts)
        child = ResourceOptions(parent=self)
        acl = aws.wafv2.WebAcl(
            f"{name}-acl",
            scope="REGIONAL",
            description=f"{name}: known attacks, and who asks too often",
            default_action=aws.wafv2.WebAclDefaultActionArgs(allow=aws.wafv2.WebAclDefaultActionAllowArgs()),
            rules=rules(args.rate_limit),
            visibility_config=_seen(aws.wafv2.WebAclVisibilityConfigArgs, name),
            tags=args.names.tags(f"{name}-acl"),
            opts=child,
        )
        aws.wafv2.WebAclAssociation(
            f"{name}-edge", resource_arn=args.load_balancer_arn, web_acl_arn=acl.arn, opts=child
        )
        self.register_outputs({})


def rules(rate_limit: int) -> list[Rule]:
    """The limit first: it is the cheapest, and who floods shall not be looked at more closely."""
    return [_limit(rate_limit), *(_managed(part, priority) for priority, part in enumerate(MANAGED, start=1))]


def _limit(rate_limit: int) -> Rule:
    """429 as the server itself says when it has too much to do, so that clients need to know one answer only."""
    wait = aws.wafv2.WebAclRuleActionBlockCustomResponseResponseHeaderArgs(
        name="Retry-After", value=str(RETRY_AFTER_SECONDS)
    )
    too_many = aws.wafv2.WebAclRuleActionBlockCustomResponseArgs(response_code=429, response_headers=[wait])
    each_address = aws.wafv2.WebAclRuleStatementRateBasedStatementArgs(
        aggregate_key_type="IP", limit=rate_limit, evaluation_window_sec=WINDOW_SECONDS
    )
    return Rule(
        name="limit",
        priority=0,
        statement=Statement(rate_based_statement=each_address),
        action=aws.wafv2.WebAclRuleActionArgs(block=aws.wafv2.WebAclRuleActionBlockArgs(custom_response=too_many)),
        visibility_config=_seen(aws.wafv2.WebAclRuleVisibilityConfigArgs, "limit"),
    )


def _managed(part: str, priority: int) -> Rule:
    """One of AWS's groups, with its own actions but for those that are only counted."""
    counted = [
        aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs(
            name=rule,
            action_to_use=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(
                count=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs()
            ),
        )
        for rule in COUNTED.get(part, [])
    ]
    group = aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
        vendor_name="AWS", name=MANAGED[part], rule_action_overrides=counted
    )
    return Rule(
        name=part,
        priority=priority,
        statement=Statement(managed_rule_group_statement=group),
        override_action=aws.wafv2.WebAclRuleOverrideActionArgs(none=aws.wafv2.WebAclRuleOverrideActionNoneArgs()),
        visibility_config=_seen(aws.wafv2.WebAclRuleVisibilityConfigArgs, part),
    )


def _seen(kind: Callable[..., T], metric: str) -> T:
    """What it did is a metric, and samples of the requests can be looked at for 3 hours."""
    return kind(metric_name=metric, cloudwatch_metrics_enabled=True, sampled_requests_enabled=True)
