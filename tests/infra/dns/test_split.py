import pytest

from tests.infra.settings import AWS_OUTPUTS
from tests.infra.sites import dns_split

RECORD, CHECK = "route53/record:Record", ":HealthCheck"


@pytest.mark.parametrize(("site", "weight"), [("onprem", 200), ("aws", 55)])
def test_each_site_has_one_record_with_its_weight_and_its_check(site: str, weight: int) -> None:
    record = dns_split().one(RECORD, site).inputs
    assert record["name"] == "search.shop.example"
    assert record["type"] == "A"
    assert record["setIdentifier"] == site
    assert record["weightedRoutingPolicies"] == [{"weight": weight}]
    assert record["healthCheckId"] == f"prod-health-{site}-id"


def test_the_records_are_in_the_zone_that_exists_and_no_zone_is_made() -> None:
    assert {record.inputs["zoneId"] for record in dns_split().of(RECORD)} == {"zone-of-shop.example"}
    assert dns_split().of(":Zone") == []


def test_the_onprem_record_is_an_address_with_the_ttl_of_an_alias() -> None:
    record = dns_split().one(RECORD, "onprem").inputs
    assert (record["records"], record["ttl"]) == (["198.51.100.20"], 60)


def test_the_aws_record_is_an_alias_of_the_load_balancer() -> None:
    (alias,) = dns_split().one(RECORD, "aws").inputs["aliases"]
    assert alias["name"] == AWS_OUTPUTS["load_balancer_dns_name"]
    assert alias["zoneId"] == AWS_OUTPUTS["load_balancer_zone_id"]


@pytest.mark.parametrize("site", ["onprem", "aws"])
def test_health_is_readiness_over_tls_at_an_interval_that_is_always_sent(site: str) -> None:
    check = dns_split().one(CHECK, site).inputs
    assert (check["type"], check["port"], check["resourcePath"]) == ("HTTPS", 443, "/readyz")
    assert (check["requestInterval"], check["failureThreshold"], check["enableSni"]) == (10, 3, True)


def test_no_check_looks_up_the_record_that_it_decides_about() -> None:
    onprem, aws = (dns_split().one(CHECK, site).inputs for site in ("onprem", "aws"))
    assert onprem["ipAddress"] == "198.51.100.20"
    assert onprem["fqdn"] == "search.shop.example"
    assert "ipAddress" not in aws
    assert aws["fqdn"] == AWS_OUTPUTS["load_balancer_dns_name"]


def test_the_outputs_name_the_checks_by_site() -> None:
    assert dns_split().outputs == {
        "service_name": "search.shop.example",
        "zone_id": "zone-of-shop.example",
        "health_check_ids": {"onprem": "prod-health-onprem-id", "aws": "prod-health-aws-id"},
    }
