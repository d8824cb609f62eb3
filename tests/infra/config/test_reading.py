"""Promises of every stack's settings: what is wrong is named, all of it, before anything is created."""

from typing import Any

import pytest

from infra.config import AwsConfig, ConfigError, DnsConfig, OnPremConfig
from infra.config.source import Settings
from tests.infra.settings import DIGEST, REMOVED, example

KINDS: dict[str, Any] = {"aws": AwsConfig, "onprem": OnPremConfig, "dns": DnsConfig}


def parse(role: str, changes: dict[str, Any] | None = None, *, stack: str = "") -> Any:
    return KINDS[role].parse(Settings.of(stack or f"prod-{role}", example(role, changes)))


def problems(role: str, changes: dict[str, Any], *, stack: str = "") -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refusal:
        parse(role, changes, stack=stack)
    return refusal.value.problems


@pytest.mark.parametrize("role", KINDS)
def test_the_production_example_is_valid(role: str) -> None:
    assert parse(role).environment == "prod"


@pytest.mark.parametrize("role", KINDS)
def test_an_unknown_key_is_refused_with_its_value_and_the_known_keys(role: str) -> None:
    (problem,) = problems(role, {"serviceNmae": "x.shop.example"})
    assert "hybrid-serving:serviceNmae is 'x.shop.example'" in problem
    assert "unknown" in problem
    assert "env" in problem


def test_an_unknown_key_inside_a_section_is_refused_with_its_path() -> None:
    (problem,) = problems("aws", {"slots.stable.wieght": 3})
    assert problem.startswith("hybrid-serving:slots.stable.wieght is 3: this key is unknown here")


def test_an_unknown_slot_is_refused() -> None:
    (problem,) = problems("aws", {"slots.blue": {"weight": 0}})
    assert problem.startswith("hybrid-serving:slots.blue is")


def test_a_missing_key_is_named_with_an_example() -> None:
    assert problems("dns", {"zone": REMOVED}) == (
        "hybrid-serving:zone is missing: set it, for example to shop.example",
    )


def test_a_missing_section_names_the_keys_that_it_needs() -> None:
    named = problems("aws", {"onprem": REMOVED})
    assert [problem.split(" ")[0] for problem in named] == [
        f"hybrid-serving:onprem.{key}" for key in ("gatewayAddresses", "asn", "ranges", "oidcIssuer")
    ]


def test_all_problems_are_reported_at_once() -> None:
    named = problems("aws", {"aws:region": REMOVED, "network.zones": 9, "onprem.asn": "no", "extra": "x"})
    assert len(named) == 4


@pytest.mark.parametrize("role", KINDS)
def test_a_file_copied_from_another_environment_is_refused(role: str) -> None:
    named = problems(role, {}, stack=f"stage-{role}")
    assert len(named) == 1
    assert "hybrid-serving:env is 'prod'" in named[0]
    assert f"stage-{role}" in named[0]


REFUSED = [
    ("aws", "env", "Production!", "lower-case"),
    ("aws", "protection", "perhaps", "true or false"),
    ("aws", "serviceName", "search.other.example", "inside the zone shop.example"),
    ("aws", "zone", "shop", "DNS name"),
    ("aws", "network.cidr", "10.30.0.0/28", "/16 and /22"),
    ("aws", "network.zones", 1, "from 2 to 4"),
    ("aws", "network.nat", "two", "one of one, per-zone, none"),
    ("aws", "network.interfaceEndpoints", ["ecr"], "ecr.api"),
    ("aws", "network.reserved", ["10.40.0.1/16"], "host bits"),
    ("aws", "onprem.gatewayAddresses", ["gateway"], "IPv4 address"),
    ("aws", "onprem.gatewayAddresses", ["198.51.100.1", "198.51.100.2", "198.51.100.3"], "one or two"),
    ("aws", "onprem.asn", 0, "whole number"),
    ("aws", "onprem.ranges", [], "at least one entry"),
    ("aws", "onprem.ranges", ["10.10.0.0/24", "10.10.0.0/24"], "only once"),
    ("aws", "onprem.ranges", ["10.10.0.1/24"], "host bits"),
    ("aws", "onprem.oidcIssuer", "http://oidc.shop.example", "https"),
    ("aws", "onprem.serviceAccounts", ["serving"], "<namespace>/<service account>"),
    ("aws", "onprem.serviceAccounts", ["n/" + "s" * 600], "fit into the role's trust policy"),
    ("aws", "vpn.insideCidrs", ["169.254.10.0/30"], "one per tunnel"),
    ("aws", "vpn.insideCidrs", ["169.254.0.0/30", "169.254.11.0/30"], "169.254.0-5.0/30"),
    ("aws", "slots.stable.image", "v1", "never a tag"),
    ("aws", "slots.stable.weight", 50, "add up to 100"),
    ("aws", "slots.stable.maxInstances", 1, "at most maxInstances (1)"),
    ("aws", "fleet.instanceTypes", ["big"], "g6.xlarge"),
    ("aws", "fleet.instanceTypes", ["g6.xlarge", "c7i.xlarge"], "with an NVIDIA GPU"),
    ("aws", "fleet.instanceTypes", ["g5g.xlarge"], "Graviton"),
    ("aws", "fleet.instanceTypes", ["g4ad.xlarge"], "AMD"),
    ("aws", "slots.canary.ami", "latest", "ami-0123456789abcdef0"),
    ("aws", "fleet.rootGib", 20, "from 75"),
    ("aws", "fleet.ami.id", "latest", "ami-0123456789abcdef0"),
    ("aws", "fleet.ami.bake", "perhaps", "true or false"),
    ("aws", "fleet.ami.bakeInstanceType", "big", "g6.xlarge"),
    ("aws", "fleet.ami.bakeInstanceType", "m7g.xlarge", "Graviton"),
    ("aws", "fleet.ami.bakeInstanceType", "a1.xlarge", "Graviton"),
    ("aws", "fleet.ami.bakeInstanceType", "g4ad.xlarge", "AMD"),
    ("aws", "fleet.scaling.queuedTexts", 0, "from 1"),
    ("aws", "edge.rateLimit", 5, "at least 10"),
    ("aws", "logs.days", 10, "one of 1, 3, 5"),
    ("aws", "watch.emails", ["oncall"], "e-mail"),
    ("aws", "watch.monthlyBudgetUsd", REMOVED, "missing"),
    ("aws", "access.publishers", ["release-pipeline"], "ARN"),
    ("aws", "access.github.repository", "shop/*", "without wildcard"),
    ("aws", "access.github.branch", "*", "without wildcard"),
    ("aws", "registry.awsEndpoint", "http://10.30.255.10", "https"),
    ("aws", "registry.endpoint", "https://10.30.255.10", "use one of: awsEndpoint, caBundle"),
    ("aws", "registry.caBundle", "ca.pem", "PEM"),
    ("onprem", "image.digest", "latest", "never a tag"),
    ("onprem", "image.digest", REMOVED, "missing"),
    ("onprem", "namespace", "Serving", "lower-case"),
    ("onprem", "serving.replicas", 0, "from 1"),
    ("onprem", "serving.replicas", 4, "remove one of the two"),
    ("onprem", "serving.memory", "much", "quantity"),
    ("onprem", "serving.disk", "20GB", "quantity"),
    ("onprem", "serving.autoscaling.minReplicas", REMOVED, "missing"),
    ("onprem", "serving.autoscaling.maxReplicas", 3, "at least minReplicas (4)"),
    ("onprem", "serving.autoscaling.queuedTextsPerPod", 0, "from 1"),
    ("onprem", "serving.autoscaling.prometheus", "prometheus:9090", "URL"),
    ("onprem", "serving.autoscaling.cooldown", 60, "use one of: cooldownSeconds"),
    ("onprem", "exposure.mode", "public", "one of externalIPs, loadBalancer, nodePort, gateway, ingress"),
    ("onprem", "exposure.mode", "hostPort", "externalIPs gives the nodes the address"),
    ("onprem", "exposure.mode", "gateway", "exposure.gateway is missing"),
    ("onprem", "exposure.mode", "gateway", "exposure.hostname is missing"),
    ("onprem", "exposure.mode", "ingress", "exposure.ingressClass is missing"),
    ("onprem", "exposure.mode", "ingress", "exposure.callers is missing"),
    ("onprem", "exposure.gateway", "public", "<namespace>/<name>"),
    ("onprem", "exposure.gateway", "edge/public", "only the mode gateway has one"),
    ("onprem", "exposure.ingressClass", "traefik", "one of haproxy, nginx"),
    ("onprem", "exposure.hostname", "search.shop.example", "only the mode gateway and ingress has one"),
    ("onprem", "exposure.clients", ["everybody"], "IPv4 network"),
    ("onprem", "networkPolicy.podRanges", REMOVED, "missing"),
    ("onprem", "networkPolicy.dnsRanges", ["169.254.25.10/8"], "host bits"),
    ("onprem", "networkPolicy.prometheusNamespace", "Monitoring", "lower-case"),
    ("onprem", "watch.latencyP99Ms", 250, "one of 10, 20, 50"),
    ("onprem", "watch.errorPercent", 7, "from 1 to 6"),
    ("onprem", "watch.rules", "operator", "one of configMap, prometheusRule"),
    ("onprem", "watch.labels", ["release"], "key=value, is needed"),
    ("onprem", "watch.labels", ["release=a", "release=b"], "one value per key"),
    ("onprem", "watch.labels", ["release=a"], "set watch.rules to prometheusRule"),
    ("onprem", "exposure.mode", "nodePort", "exposure.nodePort is missing"),
    ("onprem", "exposure.nodePort", 30443, "only the mode nodePort has one"),
    ("onprem", "registry.endpoint", "https://10.30.255.10", "use one of: awsEndpoint, caBundle"),
    ("onprem", "tls.secretName", REMOVED, "missing"),
    ("dns", "weights.aws", 256, "from 0 to 255"),
    ("dns", "weights.aws", -1, "from 0 to 255"),
    ("dns", "healthCheck.intervalSeconds", 20, "one of 10, 30"),
    ("dns", "organization", REMOVED, "missing"),
]


@pytest.mark.parametrize(("role", "key", "value", "rule"), REFUSED)
def test_a_wrong_value_is_refused_with_field_value_and_rule(role: str, key: str, value: Any, rule: str) -> None:
    named = [problem for problem in problems(role, {key: value}) if rule in problem]
    assert len(named) == 1
    assert key.split(".")[0] in named[0]
    if value is not REMOVED and key != "exposure.mode":
        assert str(value[0] if isinstance(value, list) and value else value) in named[0]


def test_a_vpc_that_overlaps_with_the_site_is_refused_with_both_ranges() -> None:
    (problem,) = problems("aws", {"onprem.ranges": ["10.10.0.0/24", "10.30.4.0/24"]})
    assert "network.cidr 10.30.0.0/16 overlaps onprem.ranges 10.30.4.0/24" in problem


def test_a_vpc_that_overlaps_with_another_sites_range_is_refused() -> None:
    (problem,) = problems("aws", {"network.reserved": ["10.30.128.0/17"]})
    assert "network.cidr 10.30.0.0/16 overlaps network.reserved 10.30.128.0/17" in problem


def test_ranges_of_the_site_that_overlap_each_other_are_refused() -> None:
    (problem,) = problems("aws", {"onprem.ranges": ["10.10.0.0/24", "10.10.0.128/25"]})
    assert "onprem.ranges 10.10.0.0/24 overlaps onprem.ranges 10.10.0.128/25" in problem


def test_a_second_gateway_of_the_site_gets_two_tunnels_more() -> None:
    changes = {"onprem.gatewayAddresses": ["198.51.100.10", "198.51.100.11"], "vpn.insideCidrs": REMOVED}
    assert len(set(parse("aws", changes).vpn.inside_cidrs)) == 4
    (problem,) = problems("aws", {"onprem.gatewayAddresses": ["198.51.100.10", "198.51.100.11"]})
    assert "4 ranges are needed, one per tunnel" in problem


def test_without_nat_every_interface_endpoint_is_needed() -> None:
    assert parse("aws", {"network.nat": "none"}).network.nat == "none"
    (problem,) = problems("aws", {"network.nat": "none", "network.interfaceEndpoints": ["ecr.api", "sts"]})
    assert "missing are autoscaling, ecr.dkr, logs, monitoring, ssm, ssmmessages" in problem
    (problem,) = problems("aws", {"network.nat": "none", "network.interfaceEndpoints": []})
    assert "missing are autoscaling, ecr.api" in problem


def test_a_fleet_without_gpus_takes_no_types_that_have_one() -> None:
    (problem,) = problems("aws", {"fleet.gpu": False})
    assert "fleet.gpu is false: types without an NVIDIA GPU are needed" in problem
    assert parse("aws", {"fleet.gpu": False, "fleet.instanceTypes": ["c7i.xlarge"]}).fleet.gpu is False


@pytest.mark.parametrize("kind", ["m7i.xlarge", "g6.xlarge"])
def test_machine_images_are_baked_on_any_type_that_the_image_runs_on(kind: str) -> None:
    ami = parse("aws", {"fleet.ami.bake": True, "fleet.ami.bakeInstanceType": kind}).fleet.ami
    assert (ami.bake, ami.bake_instance_type) == (True, kind)
    assert parse("aws").fleet.ami.bake is False


PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("key", "value", "seen", "way_out"),
    [
        ("registry.awsEndpoint", "https://10.30.255.10", "'https://10.30.255.10'", "remove registry.awsEndpoint"),
        ("registry.caBundle", PEM, "'-----BEGIN CERTIFICATE-----'", "remove registry.caBundle"),
        ("network.nat", "none", "'none'", "set network.nat to one or per-zone"),
        ("slots.canary.ami", "ami-0123456789abcdef0", "'ami-0123456789abcdef0'", "remove slots.canary.ami"),
    ],
)
def test_what_keeps_a_bake_from_working_is_refused(key: str, value: str, seen: str, way_out: str) -> None:
    assert parse("aws", {key: value})
    (problem,) = problems("aws", {"fleet.ami.bake": True, key: value})
    assert problem.startswith(f"hybrid-serving:fleet.ami.bake is true and {key} is {seen}: a build")
    assert problem.endswith(f"{way_out}, or set fleet.ami.bake to false")


POOL = {"fleet.warmPool.minInstances": 2, "fleet.instanceTypes": ["g6.xlarge"], "fleet.onDemandPercent": 100}


def test_a_warm_pool_is_there_only_when_it_is_configured() -> None:
    assert parse("aws").fleet.warm_pool is None
    pool = parse("aws", POOL).fleet.warm_pool
    assert pool.min_instances == 2
    assert parse("aws", POOL | {"fleet.warmPool.minInstances": REMOVED}).fleet.warm_pool.min_instances == 0


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("fleet.instanceTypes", ["g6.xlarge", "g5.xlarge"], "keep one type"),
        ("fleet.onDemandPercent", 50, "set it to 100"),
        ("fleet.warmPool.minInstances", -1, "from 0 to 1000"),
        ("fleet.warmPool.state", "running", "unknown"),
    ],
)
def test_a_warm_pool_that_aws_would_refuse_is_refused(key: str, value: Any, rule: str) -> None:
    (problem,) = problems("aws", POOL | {key: value})
    assert problem.startswith(f"hybrid-serving:{key} is {value!r}: ")
    assert rule in problem


SALE = {"name": "sale", "timeZone": "Europe/Berlin", "start": "0 6 27 11 *", "end": "0 0 1 12 *", "minInstances": 8}


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("name", "Black Friday", "lower-case"),
        ("timeZone", "Berlin", "IANA"),
        ("start", "27 November", "five cron fields"),
        ("end", "0 0 1 12", "five cron fields"),
        ("start", "61 25 * * *", "'61' is no minute: numbers from 0 to 59"),
        ("end", "0 25 * * *", "'25' is no hour: numbers from 0 to 23"),
        ("minInstances", 1, "at least slots.stable.minInstances (2)"),
        ("minInstances", 13, "at most slots.stable.maxInstances (12)"),
        ("capacity", 8, "unknown"),
    ],
)
def test_a_wrong_sale_day_is_refused_with_its_place_in_the_list(key: str, value: Any, rule: str) -> None:
    (problem,) = problems("aws", {"fleet.schedule": [SALE, {**SALE, "name": "second", key: value}]})
    assert problem.startswith(f"hybrid-serving:fleet.schedule[1].{key} is {value!r}" if key != "minInstances" else "")
    assert "fleet.schedule[1]" in problem
    assert rule in problem


def test_two_sale_days_of_one_name_are_refused() -> None:
    (problem,) = problems("aws", {"fleet.schedule": [SALE, SALE]})
    assert "'sale' 2 times" in problem


def test_a_canary_without_image_gets_no_requests() -> None:
    named = problems("aws", {"slots.canary.weight": 5, "slots.stable.weight": 95})
    assert named == ("hybrid-serving:slots.canary.weight is 5: a slot without image answers nothing, set 0",)
    changes = {"slots.canary.weight": 5, "slots.stable.weight": 95, "slots.canary.image": DIGEST}
    assert parse("aws", changes).slots["canary"].weight == 5


ROLES = ("publishers", "collectors", "previewers", "deployers")


@pytest.mark.parametrize("role", ROLES)
def test_a_list_of_principals_left_out_is_not_an_empty_one(role: str) -> None:
    assert getattr(parse("aws", {f"access.{role}": REMOVED}).access, role) is None
    assert getattr(parse("aws", {"access": REMOVED}).access, role) is None


@pytest.mark.parametrize("role", ["previewers", "deployers"])
def test_nobody_by_arn_needs_workflows_that_get_the_role(role: str) -> None:
    assert getattr(parse("aws", {f"access.{role}": []}).access, role) == ()
    (problem,) = problems("aws", {"access": {role: []}})
    assert problem == (
        f"hybrid-serving:access.{role} is []: nobody could take the role; name who may, or leave the key out: this "
        "account's own policies then decide"
    )


@pytest.mark.parametrize("role", ["publishers", "collectors"])
def test_a_role_that_no_workflow_gets_cannot_be_nobodys(role: str) -> None:
    (problem,) = problems("aws", {f"access.{role}": []})
    assert problem.startswith(f"hybrid-serving:access.{role} is []: nobody could take the role")


def test_a_slot_that_gets_requests_keeps_an_instance() -> None:
    (problem,) = problems("aws", {"slots.stable.image": DIGEST, "slots.stable.minInstances": 0})
    assert problem.startswith("hybrid-serving:slots.stable.minInstances is 0: with weight 100 the load balancer")
    assert "503; set it to 1 at least" in problem


@pytest.mark.parametrize("changes", [{"slots.stable.minInstances": 0}, {"slots.canary.image": DIGEST}])
def test_a_slot_without_requests_or_without_image_may_be_empty(changes: dict[str, Any]) -> None:
    assert parse("aws", {"slots.canary.minInstances": 0} | changes)


def test_weights_that_are_all_zero_are_refused() -> None:
    (problem,) = problems("dns", {"weights": {"onprem": 0, "aws": 0}})
    assert "'onprem': 0, 'aws': 0" in problem


@pytest.mark.parametrize("weights", [{"onprem": 0, "aws": 255}, {"onprem": 255, "aws": 0}, {"onprem": 1, "aws": 1}])
def test_a_site_may_be_taken_out_by_weight_zero(weights: dict[str, int]) -> None:
    assert parse("dns", {"weights": weights}).weights == weights


def test_a_first_deployment_needs_no_image() -> None:
    assert parse("aws").slots["stable"].image == ""
