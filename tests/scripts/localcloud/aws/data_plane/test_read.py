"""The snapshot of what was declared, read from moto on loopback."""

import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest
from moto.server import ThreadedMotoServer

from scripts.localcloud import topology
from scripts.localcloud.aws.data_plane.read import INTERRUPTION_TAG, Reader
from scripts.localcloud.aws.data_plane.read_elb import NotExecutedError, rule
from scripts.localcloud.aws.data_plane.read_route53 import health_check, record
from scripts.localcloud.aws.data_plane.view import Condition, FixedResponse, Forward, Redirect, Rule
from scripts.localcloud.dns.view import Alias, HealthCheck
from tests.scripts.localcloud.aws.data_plane.declared import Declared, user_data


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # Moto's state is its process's: what tests before these made there would be read as well.
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"), timeout=30).close()
    yield url
    server.stop()


@pytest.fixture(scope="module")
def declared(url: str) -> Declared:
    return Declared(url)


@pytest.fixture(scope="module")
def reader(url: str, declared: Declared) -> Reader:
    return Reader(url, topology.REGION)


def test_an_instance_has_its_address_user_data_and_role(reader: Reader, declared: Declared) -> None:
    (instance,) = reader.read().instances
    assert (instance.id, instance.address) == declared.instance()
    assert (instance.user_data, instance.role, instance.hop_limit) == (user_data(1), "serving", 2)
    assert (instance.group, instance.type) == ("fleet", "g5.xlarge")


def test_an_instance_tells_its_launch_and_an_interruption_once_its_tag_declares_one(
    reader: Reader, declared: Declared
) -> None:
    (instance,) = reader.read().instances
    assert abs(time.time() - instance.launched) < 600
    assert instance.interruption == ""
    tag = {"Key": INTERRUPTION_TAG, "Value": "2030-01-01T00:02:00Z"}
    declared.ec2.create_tags(Resources=[instance.id], Tags=[tag])
    assert reader.read().instances[0].interruption == "2030-01-01T00:02:00Z"
    declared.ec2.delete_tags(Resources=[instance.id], Tags=[tag])


def test_a_load_balancer_has_its_listeners_and_targets(reader: Reader, declared: Declared) -> None:
    snapshot = reader.read()
    (balancer,), (group,) = snapshot.load_balancers, snapshot.target_groups
    assert balancer.dns_name == declared.balancer["DNSName"]
    assert [(listener.port, listener.protocol) for listener in balancer.listeners] == [(443, "HTTPS")]
    assert balancer.listeners[0].rules == (Rule(conditions=(), action=Forward(weights=((declared.group, 1),))),)
    assert [(target.id, target.address) for target in group.targets] == [declared.instance()]
    assert (group.check.path, group.check.interval, group.check.timeout, group.check.rise) == ("/readyz", 5, 2, 2)


def test_the_zone_has_both_weighted_records_and_no_soa(reader: Reader, declared: Declared) -> None:
    snapshot = reader.read()
    (zone,), (check,) = snapshot.zones, snapshot.health_checks
    weighted = {found.set_identifier: found for found in zone.records if found.weight is not None}
    assert {site: found.weight for site, found in weighted.items()} == {"aws": 30, "onprem": 70}
    assert weighted["aws"].alias == Alias(name=declared.balancer["DNSName"], evaluate=True)
    assert weighted["onprem"].health_check == check.id
    assert "SOA" not in {found.type for found in zone.records}


def test_reading_twice_without_a_change_gives_the_same(reader: Reader) -> None:
    assert reader.read() == reader.read()


def test_a_new_template_reaches_new_instances_only(url: str, reader: Reader, declared: Declared) -> None:
    (old,) = reader.read().instances
    policy = declared.mix(declared.launch_template(2))
    declared.asg.update_auto_scaling_group(AutoScalingGroupName="fleet", MixedInstancesPolicy=policy, DesiredCapacity=2)
    texts = {instance.id: instance.user_data for instance in Reader(url, topology.REGION).read().instances}
    assert texts.pop(old.id) == user_data(1)
    assert list(texts.values()) == [user_data(2)]
    declared.asg.update_auto_scaling_group(AutoScalingGroupName="fleet", DesiredCapacity=1)


def test_a_record_with_another_routing_policy_is_left_out_and_named(reader: Reader, declared: Declared) -> None:
    change = {
        "Action": "UPSERT",
        "ResourceRecordSet": {
            "Name": "far.shop.test",
            "Type": "A",
            "SetIdentifier": "eu",
            "Region": "eu-central-1",
            "TTL": 60,
            "ResourceRecords": [{"Value": "192.0.2.1"}],
        },
    }
    declared.dns.change_resource_record_sets(HostedZoneId=declared.zone, ChangeBatch={"Changes": [change]})
    snapshot = reader.read()
    assert snapshot.problems == ("record far.shop.test. A: routing by Region is not executed here; left out",)
    assert "far.shop.test" not in {found.name for found in snapshot.zones[0].records}


def test_rules_come_by_priority_with_the_default_last(reader: Reader, declared: Declared) -> None:
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403", "ContentType": "text/plain"}}
    for priority, path in ((20, "/b"), (3, "/a")):
        condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}
        declared.elb.create_rule(
            ListenerArn=declared.listener, Priority=priority, Conditions=[condition], Actions=[answer]
        )
    found = reader.read().load_balancers[0].listeners[0].rules
    assert [rule.conditions[0].values if rule.conditions else () for rule in found] == [("/a",), ("/b",), ()]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"Type": "forward", "TargetGroupArn": "arn:a"}, Forward(weights=(("arn:a", 1),))),
        (
            {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_302"}},
            Redirect(protocol="HTTPS", port="443", code=302),
        ),
        (
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "MessageBody": "no"}},
            FixedResponse(code=404, content_type="text/plain", body="no"),
        ),
    ],
)
def test_actions(action: dict[str, object], expected: object) -> None:
    assert rule({"Actions": [action]}).action == expected


def test_conditions_in_their_older_form() -> None:
    told = {
        "Conditions": [{"Field": "host-header", "Values": ["a.test"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": "a"}],
    }
    assert rule(told).conditions == (Condition(field="host-header", values=("a.test",)),)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"Actions": [{"Type": "authenticate-oidc"}]}, "action authenticate-oidc"),
        (
            {"Conditions": [{"Field": "source-ip"}], "Actions": [{"Type": "forward", "TargetGroupArn": "a"}]},
            "condition source-ip",
        ),
    ],
)
def test_what_is_not_executed_is_named(told: dict[str, object], named: str) -> None:
    with pytest.raises(NotExecutedError, match=named):
        rule(told)


def test_a_simple_record_has_no_weight() -> None:
    found = record({"Name": "A.Shop.Test.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]})
    assert (found.name, found.weight, found.values) == ("a.shop.test", None, ("192.0.2.1",))


def test_a_health_check_gets_route_53s_defaults() -> None:
    found = health_check({"Id": "c", "HealthCheckConfig": {"Type": "HTTPS", "FullyQualifiedDomainName": "a.test"}})
    expected = HealthCheck(id="c", type="HTTPS", host="a.test", port=443, interval=30, threshold=3)
    assert found == replace(expected, sni=False)
