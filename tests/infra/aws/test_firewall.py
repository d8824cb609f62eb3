from functools import cache
from typing import Any

import pytest

from tests.infra.aws.edges import declare_edge
from tests.infra.engine import Declaration

LIMIT = 5000
# What each group needs (WAF guide, "AWS Managed Rules rule groups list"); a firewall has 1500 at its base price.
CAPACITY = {
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesCommonRuleSet": 700,
}


@cache
def edge() -> Declaration:
    return declare_edge(rate_limit=LIMIT)


def acl() -> dict[str, Any]:
    return edge().one("wafv2/webAcl:WebAcl").inputs


def rules() -> dict[str, dict[str, Any]]:
    return {rule["name"]: rule for rule in acl()["rules"]}


def managed() -> dict[str, dict[str, Any]]:
    """Rules with a group of AWS's, by the group's name."""
    groups = [rule for rule in rules().values() if "managedRuleGroupStatement" in rule["statement"]]
    return {rule["statement"]["managedRuleGroupStatement"]["name"]: rule for rule in groups}


def test_the_firewall_stands_before_the_load_balancer() -> None:
    association = edge().one("wafv2/webAclAssociation:WebAclAssociation").inputs
    assert association["resourceArn"] == "arn:aws:test:::prod-edge-alb"
    assert association["webAclArn"] == "arn:aws:test:::prod-edge-firewall-acl"
    assert acl()["scope"] == "REGIONAL"


def test_without_a_limit_there_is_no_firewall() -> None:
    assert not [resource for resource in declare_edge(rate_limit=0).resources if "wafv2" in resource.type]


def test_what_no_rule_stops_passes() -> None:
    assert acl()["defaultAction"] == {"allow": {}}


@pytest.mark.parametrize("limit", [10, 5000])
def test_an_address_that_asks_too_often_is_told_to_wait_as_a_busy_server_would(limit: int) -> None:
    declared = declare_edge(rate_limit=limit).one(":WebAcl").inputs["rules"]
    [rule] = [rule for rule in declared if "rateBasedStatement" in rule["statement"]]
    statement = rule["statement"]["rateBasedStatement"]
    assert statement == {"aggregateKeyType": "IP", "limit": limit, "evaluationWindowSec": 300}
    answer = rule["action"]["block"]["customResponse"]
    assert answer["responseCode"] == 429
    [header] = answer["responseHeaders"]
    assert header["name"] == "Retry-After"
    assert int(header["value"]) > 0


def test_known_attacks_and_known_attackers_are_stopped_by_awss_own_rules() -> None:
    assert set(managed()) == set(CAPACITY)
    for rule in managed().values():
        assert rule["statement"]["managedRuleGroupStatement"]["vendorName"] == "AWS"
        # `count` here would switch the whole group off.
        assert rule["overrideAction"] == {"none": {}}


def test_what_is_everyday_life_of_this_service_is_only_counted() -> None:
    """Bodies above 8 KB, which the server takes; product texts in HTML; clients without a User-Agent header."""
    from model_image.server.web.schema import MAX_BODY

    assert MAX_BODY > 8192
    passed = {"SizeRestrictions_BODY", "CrossSiteScripting_BODY", "NoUserAgent_HEADER"}
    for name, rule in managed().items():
        overrides = rule["statement"]["managedRuleGroupStatement"].get("ruleActionOverrides", [])
        counted = [override["name"] for override in overrides if override["actionToUse"] == {"count": {}}]
        assert set(counted) == (passed if name == "AWSManagedRulesCommonRuleSet" else set())
        assert len(overrides) == len(counted)


def test_each_rule_has_a_turn_of_its_own_and_the_limit_is_the_first() -> None:
    turns = {name: rule["priority"] for name, rule in rules().items()}
    assert len(set(turns.values())) == len(turns) == len(acl()["rules"])
    assert min(turns, key=lambda name: turns[name]) == "limit"


def test_the_firewall_is_not_charged_for_capacity() -> None:
    assert sum(CAPACITY[name] for name in managed()) + 2 <= 1500


def test_what_the_firewall_does_can_be_seen() -> None:
    for config in (acl()["visibilityConfig"], *(rule["visibilityConfig"] for rule in rules().values())):
        assert config["cloudwatchMetricsEnabled"] is True
        assert config["sampledRequestsEnabled"] is True
    names = [rule["visibilityConfig"]["metricName"] for rule in rules().values()]
    assert len(set(names)) == len(names)


def test_a_firewall_that_does_not_answer_stops_nobody() -> None:
    assert edge().one(":LoadBalancer", "alb").inputs["enableWafFailOpen"] is True
