"""Drift made by hand is found and put right; protection protects; destroy leaves nothing."""

import json
from functools import partial
from typing import Any

import pytest

from scripts.localcloud.aws import api
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.processes import wait_until
from scripts.localcloud.topology import ZONE


@pytest.mark.cloud
def test_a_change_made_by_hand_in_aws_is_found_and_put_right(local_cloud: LocalCloud, stacks: dict[str, Stack]) -> None:
    ec2 = api.client(local_cloud, "ec2")
    vpc = stacks["aws"].outputs()["vpc_id"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "changed by hand"}])
    with pytest.raises(UserError, match="no changes were expected"):
        stacks["aws"].preview("--refresh", "--expect-no-changes")
    stacks["aws"].up("--refresh")
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc]}, {"Name": "key", "Values": ["Name"]}])
    assert [tag["Value"] for tag in tags["Tags"]] != ["changed by hand"]
    stacks["aws"].preview("--refresh", "--expect-no-changes")


@pytest.mark.kubernetes
def test_a_change_made_by_hand_in_the_cluster_is_put_right(local_cloud: LocalCloud, stacks: dict[str, Stack]) -> None:
    def replicas() -> int:
        found = json.loads(kubectl(local_cloud, "get", "deployments", "-n", "serving", "-o", "json").stdout)["items"]
        return int(found[0]["spec"]["replicas"])

    wanted = replicas()
    name = stacks["onprem"].outputs()["deployment"]
    kubectl(local_cloud, "scale", f"deployment/{name}", "-n", "serving", f"--replicas={wanted - 1}")
    kubectl(local_cloud, "rollout", "status", f"deployment/{name}", "-n", "serving", "--timeout=60s")
    with pytest.raises(UserError, match="no changes were expected"):
        stacks["onprem"].preview("--refresh", "--expect-no-changes")
    stacks["onprem"].up("--refresh")
    assert replicas() == wanted


@pytest.mark.cloud
@pytest.mark.kubernetes
@pytest.mark.destroys
def test_destroy_leaves_nothing_but_what_was_there_before_and_keys_pending_deletion(
    local_cloud: LocalCloud, stacks: dict[str, Stack]
) -> None:
    for role in ("dns", "onprem", "aws"):
        stacks[role].destroy()
        assert stacks[role].resources() == []
    assert leftovers(local_cloud) == {}
    namespaces = kubectl(local_cloud, "get", "namespaces", "-o", "name").stdout.split()
    assert sorted(namespaces) == [
        f"namespace/{name}" for name in ("default", "kube-node-lease", "kube-public", "kube-system")
    ]
    wait_until(lambda: not list((local_cloud.run / "instances").glob("*/root")), what="the instances' end", timeout=60)


def leftovers(cloud: LocalCloud) -> dict[str, list[Any]]:
    """What the local account still holds, by service and kind, less what every account has from its start."""
    client = partial(api.client, cloud)
    ec2, iam, zones = client("ec2"), client("iam"), client("route53").list_hosted_zones()["HostedZones"]
    kms = client("kms")
    # AWS makes these itself at a service's first use, and they cannot be deleted.
    managed = {a.get("TargetKeyId") for a in kms.list_aliases()["Aliases"] if a["AliasName"].startswith("alias/aws/")}
    default_vpcs = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if vpc["IsDefault"]}
    of_our_own = [{"Name": "owner-id", "Values": ["123456789012"]}]
    found: dict[str, list[Any]] = {
        "vpcs": [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]],
        "subnets": [subnet for subnet in ec2.describe_subnets()["Subnets"] if not subnet["DefaultForAz"]],
        "gateways": [g for g in ec2.describe_nat_gateways()["NatGateways"] if g["State"] != "deleted"],
        "addresses": ec2.describe_addresses()["Addresses"],
        "endpoints": [e for e in ec2.describe_vpc_endpoints()["VpcEndpoints"] if e["State"] != "deleted"],
        "transit gateways": [t for t in ec2.describe_transit_gateways()["TransitGateways"] if t["State"] != "deleted"],
        "customer gateways": [
            c for c in ec2.describe_customer_gateways()["CustomerGateways"] if c["State"] != "deleted"
        ],
        "vpn connections": [v for v in ec2.describe_vpn_connections()["VpnConnections"] if v["State"] != "deleted"],
        "internet gateways": [
            gateway
            for gateway in ec2.describe_internet_gateways()["InternetGateways"]
            if {attachment["VpcId"] for attachment in gateway["Attachments"]} - default_vpcs
            or not gateway["Attachments"]
        ],
        "route tables": [t for t in ec2.describe_route_tables()["RouteTables"] if t["VpcId"] not in default_vpcs],
        "attachments": [
            attachment
            for attachment in ec2.describe_transit_gateway_attachments()["TransitGatewayAttachments"]
            if attachment["State"] != "deleted"
        ],
        "launch templates": ec2.describe_launch_templates()["LaunchTemplates"],
        "instances": [
            instance
            for reservation in ec2.describe_instances()["Reservations"]
            for instance in reservation["Instances"]
            if instance["State"]["Name"] != "terminated"
        ],
        "security groups": [
            group
            for group in ec2.describe_security_groups(Filters=of_our_own)["SecurityGroups"]
            if group["GroupName"] != "default"
        ],
        "groups": client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        "load balancers": client("elbv2").describe_load_balancers()["LoadBalancers"],
        "target groups": client("elbv2").describe_target_groups()["TargetGroups"],
        "buckets": client("s3").list_buckets()["Buckets"],
        "repositories": client("ecr").describe_repositories()["repositories"],
        "roles": iam.list_roles()["Roles"],
        "profiles": iam.list_instance_profiles()["InstanceProfiles"],
        "policies": iam.list_policies(Scope="Local")["Policies"],
        "identity providers": iam.list_open_id_connect_providers()["OpenIDConnectProviderList"],
        "certificates": client("acm").list_certificates()["CertificateSummaryList"],
        "health checks": client("route53").list_health_checks()["HealthChecks"],
        "zones": [zone for zone in zones if zone["Name"] != f"{ZONE}."],
        "records": [
            record
            for zone in zones
            for record in client("route53").list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
            if record["Type"] not in ("NS", "SOA")
        ],
        "log groups": client("logs").describe_log_groups()["logGroups"],
        "alarms": client("cloudwatch").describe_alarms()["MetricAlarms"],
        "keys": [
            key["KeyId"]
            for key in kms.list_keys()["Keys"]
            if key["KeyId"] not in managed
            and kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion"
        ],
    }
    return {kind: things for kind, things in found.items() if things}
