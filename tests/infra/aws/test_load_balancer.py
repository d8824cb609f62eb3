from functools import cache

import pytest

from infra.aws.certificate import Certificate, CertificateArgs
from infra.aws.load_balancer import LoadBalancer
from tests.infra.aws.edges import NAMES, declare_edge, edge_args
from tests.infra.engine import Declaration, Declared, declare


@cache
def edge() -> Declaration:
    return declare_edge()


def balancer(site: Declaration) -> Declared:
    return site.one("lb/loadBalancer:LoadBalancer")


def forward(site: Declaration) -> dict[str, int]:
    (action,) = site.one(":Listener", "https").inputs["defaultActions"]
    return {target["arn"]: target["weight"] for target in action["forward"]["targetGroups"]}


@pytest.mark.parametrize("weights", [{"stable": 100, "canary": 0}, {"stable": 90, "canary": 10}])
def test_both_slots_are_always_behind_the_listener_with_their_weights(weights: dict[str, int]) -> None:
    expected = {f"arn:aws:test:::prod-edge-{slot}": weight for slot, weight in weights.items()}
    assert forward(declare_edge(weights=weights)) == expected


def test_a_new_weight_changes_nothing_but_the_listener() -> None:
    other = declare_edge(weights={"stable": 50, "canary": 50})
    before, after = ({r.name: r.inputs for r in site.resources} for site in (edge(), other))
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {"prod-edge-https"}


def test_the_service_name_is_served_with_tls_1_2_or_later_and_the_given_certificate() -> None:
    listener = edge().one(":Listener", "https").inputs
    assert (listener["protocol"], listener["port"]) == ("HTTPS", 443)
    assert listener["certificateArn"] == "arn-of-certificate"
    assert listener["sslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2-")


def test_plain_http_is_only_sent_on_to_https() -> None:
    (action,) = edge().one(":Listener", "http").inputs["defaultActions"]
    assert action["type"] == "redirect"
    assert action["redirect"]["protocol"] == "HTTPS"


def test_requests_that_servers_could_read_differently_do_not_pass_as_they_are() -> None:
    inputs = balancer(edge()).inputs
    assert inputs["dropInvalidHeaderFields"] is True
    assert inputs["desyncMitigationMode"] in ("defensive", "strictest")


def test_every_request_is_logged_under_the_edges_own_prefix() -> None:
    logs = balancer(edge()).inputs["accessLogs"]
    assert logs == {"bucket": "access-logs", "enabled": True, "prefix": "prod-edge"}


def test_the_load_balancer_waits_for_whoever_gives_the_bucket() -> None:
    import pulumi_aws as aws

    def program() -> None:
        policy = aws.s3.BucketPolicy("policy", bucket="access-logs", policy="{}")
        LoadBalancer("prod-edge", edge_args(access_log_bucket=policy.bucket))

    assert "policy" in balancer(declare(program)).depends_on


def test_clients_leave_an_idle_connection_before_the_load_balancer_does() -> None:
    assert balancer(edge()).inputs["idleTimeout"] > 60


def rules_of(group: str, kind: str) -> list[Declared]:
    return [r for r in edge().of(kind) if r.inputs["securityGroupId"] == f"prod-edge-{group}-id"]


def test_instances_take_connections_only_from_the_load_balancer() -> None:
    (rule,) = rules_of("instances", "SecurityGroupIngressRule")
    assert rule.inputs["referencedSecurityGroupId"] == "prod-edge-edge-id"
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (8080, 8080)
    assert edge().outputs["instance_security_group_id"] == "prod-edge-instances-id"


def test_the_load_balancer_connects_only_to_the_instances_servers() -> None:
    (rule,) = rules_of("edge", "SecurityGroupEgressRule")
    assert rule.inputs["referencedSecurityGroupId"] == "prod-edge-instances-id"
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (8080, 8080)
    assert balancer(edge()).inputs["securityGroups"] == ["prod-edge-edge-id"]


def test_instances_leave_by_tls_only() -> None:
    (rule,) = rules_of("instances", "SecurityGroupEgressRule")
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)


def test_the_world_reaches_only_the_web_ports_of_the_load_balancer() -> None:
    rules = [r for r in edge().of("SecurityGroupIngressRule") if r.inputs.get("cidrIpv4") == "0.0.0.0/0"]
    assert {(r.inputs["securityGroupId"], r.inputs["toPort"]) for r in rules} == {
        ("prod-edge-edge-id", 80),
        ("prod-edge-edge-id", 443),
    }


def test_only_ready_servers_get_requests_and_leaving_ones_finish_theirs() -> None:
    groups = edge().of(":TargetGroup")
    assert {group.name for group in groups} == {"prod-edge-stable", "prod-edge-canary"}
    for group in groups:
        assert group.inputs["healthCheck"]["path"] == "/readyz"
        assert group.inputs["deregistrationDelay"] >= 60


def test_metrics_and_policies_get_the_ends_of_the_arns() -> None:
    outputs = edge().outputs
    assert outputs["suffix"] == "app/prod-edge-alb/1"
    assert outputs["target_group_suffixes"] == {
        slot: f"targetgroup/prod-edge-{slot}/2" for slot in ("stable", "canary")
    }
    assert outputs["target_group_arns"] == {slot: f"arn:aws:test:::prod-edge-{slot}" for slot in ("stable", "canary")}
    assert outputs["dns_name"] == "prod-edge-alb.elb.amazonaws.com"


def test_the_certificate_is_known_only_when_a_record_in_the_zone_has_proved_it() -> None:
    import pulumi_aws as aws

    def program() -> None:
        made = Certificate("prod-tls", CertificateArgs(names=NAMES, zone="shop.example", domain="search.shop.example"))
        aws.lb.Listener("user", load_balancer_arn="x", default_actions=[], certificate_arn=made.arn)

    site = declare(program)
    assert "prod-tls-validation" in site.one(":Listener").depends_on
    assert site.one("acm/certificate:Certificate").inputs["domainName"] == "search.shop.example"
    assert site.one(":Record", "proof").inputs["zoneId"] == "zone-of-shop.example"
