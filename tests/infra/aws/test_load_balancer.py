from typing import Any

from tests.infra.engine import declare
from tests.infra.settings import DIGEST, aws_example
from tests.infra.sites import aws_site


def forward(site: Any) -> dict[str, int]:
    (action,) = site.one(":Listener", "https").inputs["defaultActions"]
    return {target["arn"]: target["weight"] for target in action["forward"]["targetGroups"]}


def test_both_slots_are_always_behind_the_listener_with_their_weights() -> None:
    assert forward(aws_site()) == {"arn:aws:test:::prod-edge-stable": 100, "arn:aws:test:::prod-edge-canary": 0}


def test_weights_come_from_config() -> None:
    from stacks import aws

    config = aws_example(slots__stable__weight=90, slots__canary__weight=10, slots__canary__image=DIGEST)
    weights = forward(declare(aws.main, config=config))
    assert weights == {"arn:aws:test:::prod-edge-stable": 90, "arn:aws:test:::prod-edge-canary": 10}


def test_the_service_name_is_served_with_tls_and_a_validated_certificate() -> None:
    listener = aws_site().one(":Listener", "https")
    assert (listener.inputs["protocol"], listener.inputs["port"]) == ("HTTPS", 443)
    assert "prod-tls-validation" in listener.depends_on
    assert aws_site().one("acm/certificate:Certificate").inputs["domainName"] == "search.shop.example"
    assert aws_site().one(":Record", "proof").inputs["zoneId"] == "zone-of-shop.example"


def test_plain_http_is_only_sent_on_to_https() -> None:
    (action,) = aws_site().one(":Listener", "http").inputs["defaultActions"]
    assert action["type"] == "redirect"
    assert action["redirect"]["protocol"] == "HTTPS"


def test_instances_take_connections_only_from_the_load_balancer() -> None:
    rules = [
        r for r in aws_site().of("SecurityGroupIngressRule") if r.inputs["securityGroupId"] == "prod-edge-instances-id"
    ]
    (rule,) = rules
    assert rule.inputs["referencedSecurityGroupId"] == "prod-edge-edge-id"
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (8080, 8080)


def test_the_world_reaches_only_the_web_ports_of_the_load_balancer() -> None:
    rules = [r for r in aws_site().of("SecurityGroupIngressRule") if r.inputs.get("cidrIpv4") == "0.0.0.0/0"]
    assert {(r.inputs["securityGroupId"], r.inputs["toPort"]) for r in rules} == {
        ("prod-edge-edge-id", 80),
        ("prod-edge-edge-id", 443),
    }


def test_only_ready_servers_get_requests_and_leaving_ones_finish_theirs() -> None:
    for group in aws_site().of(":TargetGroup"):
        assert group.inputs["healthCheck"]["path"] == "/readyz"
        assert group.inputs["deregistrationDelay"] >= 60
