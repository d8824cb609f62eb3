"""Reads load balancers and target groups from the ELB API into their view."""

from collections.abc import Mapping
from typing import Any

from scripts.localcloud.aws.data_plane.paging import everything
from scripts.localcloud.aws.data_plane.view import (
    Condition,
    FixedResponse,
    Forward,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    Target,
    TargetCheck,
    TargetGroup,
)

CONDITIONS = {"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig"}


class NotExecutedError(Exception):
    """Something that ELB does and the local load balancer does not."""


def read(
    client: Any, instances: Mapping[str, str], problems: list[str]
) -> tuple[tuple[LoadBalancer, ...], tuple[TargetGroup, ...]]:
    """All load balancers and target groups. ``instances`` maps a running instance's id to its address.

    What is declared but not executed here is appended to ``problems``.
    """
    balancers = tuple(
        _balancer(client, value, problems)
        for value in everything(client, "describe_load_balancers", "LoadBalancers")
        if value["Type"] == "application"
    )
    declared = everything(client, "describe_target_groups", "TargetGroups")
    groups = tuple(_group(client, value, instances) for value in declared)
    return balancers, groups


def _balancer(client: Any, value: dict[str, Any], problems: list[str]) -> LoadBalancer:
    arn = value["LoadBalancerArn"]
    told = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    attributes = {item["Key"]: item["Value"] for item in told}
    listeners = everything(client, "describe_listeners", "Listeners", LoadBalancerArn=arn)
    return LoadBalancer(
        arn=arn,
        name=value["LoadBalancerName"],
        dns_name=value["DNSName"],
        idle_seconds=int(attributes.get("idle_timeout.timeout_seconds", 60)),
        drop_invalid_headers=attributes.get("routing.http.drop_invalid_header_fields.enabled") == "true",
        listeners=tuple(
            Listener(port=item["Port"], protocol=item["Protocol"], rules=_rules(client, item["ListenerArn"], problems))
            for item in sorted(listeners, key=lambda item: item["Port"])
        ),
    )


def _rules(client: Any, listener: str, problems: list[str]) -> tuple[Rule, ...]:
    found = everything(client, "describe_rules", "Rules", ListenerArn=listener)
    last = 1 + max((int(rule["Priority"]) for rule in found if rule["Priority"] != "default"), default=0)
    rules = []
    for value in sorted(found, key=lambda rule: last if rule["Priority"] == "default" else int(rule["Priority"])):
        try:
            rules.append(rule(value))
        except NotExecutedError as error:
            problems.append(f"{value['RuleArn']}: {error} is not executed here; the rule is left out")
    return tuple(rules)


def rule(value: dict[str, Any]) -> Rule:
    """One rule from the API's shape. Raises NotExecutedError naming a condition or action unknown here."""
    conditions = tuple(
        Condition(field=item["Field"], values=_condition_values(item)) for item in value.get("Conditions", [])
    )
    return Rule(conditions=conditions, action=_action(value["Actions"][-1]))


def _condition_values(item: dict[str, Any]) -> tuple[str, ...]:
    if item["Field"] not in CONDITIONS:
        raise NotExecutedError(f"condition {item['Field']}")
    return tuple(item.get(CONDITIONS[item["Field"]], item).get("Values", []))


def _action(value: dict[str, Any]) -> Forward | Redirect | FixedResponse:
    kind = value["Type"]
    if kind == "forward":
        groups = value.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": value["TargetGroupArn"]}]
        return Forward(weights=tuple((item["TargetGroupArn"], int(item.get("Weight", 1))) for item in groups))
    if kind == "redirect":
        told = value["RedirectConfig"]
        names = {"protocol": "Protocol", "host": "Host", "port": "Port", "path": "Path", "query": "Query"}
        parts = {ours: told[theirs] for ours, theirs in names.items() if told.get(theirs)}
        return Redirect(**parts, code=int(told["StatusCode"].removeprefix("HTTP_")))
    if kind == "fixed-response":
        told = value["FixedResponseConfig"]
        return FixedResponse(
            code=int(told["StatusCode"]),
            content_type=told.get("ContentType", "text/plain"),
            body=told.get("MessageBody", ""),
        )
    raise NotExecutedError(f"action {kind}")


def _group(client: Any, value: dict[str, Any], instances: Mapping[str, str]) -> TargetGroup:
    arn = value["TargetGroupArn"]
    told = client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    attributes = {item["Key"]: item["Value"] for item in told}
    registered = client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    ids = [entry["Target"]["Id"] for entry in registered]
    places = {name: name for name in ids} if value.get("TargetType") == "ip" else instances
    targets = [
        Target(id=target["Id"], address=places[target["Id"]], port=target.get("Port", value["Port"]))
        for target in (entry["Target"] for entry in registered)
        if target["Id"] in places
    ]
    port = value.get("HealthCheckPort", "traffic-port")
    return TargetGroup(
        arn=arn,
        name=value["TargetGroupName"],
        protocol=value["Protocol"],
        algorithm=attributes.get("load_balancing.algorithm.type", "round_robin"),
        drain_seconds=int(attributes.get("deregistration_delay.timeout_seconds", 300)),
        check=TargetCheck(
            protocol=value["HealthCheckProtocol"],
            port=None if port == "traffic-port" else int(port),
            path=value.get("HealthCheckPath", "/"),
            codes=value.get("Matcher", {}).get("HttpCode", "200"),
            interval=value["HealthCheckIntervalSeconds"],
            timeout=value["HealthCheckTimeoutSeconds"],
            rise=value["HealthyThresholdCount"],
            fall=value["UnhealthyThresholdCount"],
        ),
        targets=tuple(sorted(targets, key=lambda target: target.id)),
    )
