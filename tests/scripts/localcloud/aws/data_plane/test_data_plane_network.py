"""The whole data plane against moto: what is declared by API calls is what DNS, metadata and the balancer do."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud import customer, topology
from scripts.localcloud.aws.data_plane import places, start
from scripts.localcloud.cloud import checkout_root
from scripts.localcloud.console import UserError
from scripts.localcloud.dns.view import health_file
from scripts.localcloud.processes import wait_until
from scripts.localcloud.shell import run
from tests.scripts.localcloud.aws.data_plane.declared import Declared

pytestmark = pytest.mark.network

CREDENTIALS = """
import boto3, json
found = boto3.Session().get_credentials()
print(json.dumps([found.method, found.access_key[:4], bool(found.token)]))
"""


@pytest.fixture(scope="module")
def declared(site: Any) -> Iterator[Declared]:
    cloud = site.cloud
    port = cloud.moto_port
    also = f"{topology.management(cloud.number)['host_vpc']}:{port}"
    argv = [sys.executable, "-m", "scripts.localcloud.aws.moto", "--port", str(port), "--also", also]
    cloud.processes.start("moto", argv, cwd=checkout_root())
    made = wait_until(lambda: _reach(cloud.moto_url), what="moto", timeout=60, log=cloud.processes.log("moto"))
    start.start(cloud)
    yield made
    start.stop(cloud)
    cloud.processes.stop("moto")


def _reach(url: str) -> Declared | None:
    try:
        run(["curl", "-sf", f"{url}/epoch"])
    except UserError:
        return None
    return Declared(url)


@pytest.fixture
def instance(site: Any, declared: Declared) -> str:
    """The running instance, with a server in its place."""
    name, address = declared.instance()
    namespace = Path("/run/netns") / site.cloud.namespace(name)
    wait_until(namespace.exists, what="the instance's network", timeout=30)
    site.serve(name, address)
    return name


def status(site: Any) -> Any:
    return json.loads(places.status(site.cloud).read_text())


def test_why_an_instance_cannot_run_stands_in_the_status_file(site: Any, instance: str) -> None:
    expected = f"instance {instance}: the node's containerd does not run; scripts/up starts it"
    wait_until(lambda: expected in status(site)["problems"], what="the problem", timeout=20)


def test_the_sdk_finds_the_instances_role_without_any_configuration(site: Any, instance: str) -> None:
    told = site.inside(instance, f"cd / && {sys.executable} -c '{CREDENTIALS}'")
    assert json.loads(told) == ["iam-role", "ASIA", True]


def test_metadata_needs_a_token(site: Any, instance: str) -> None:
    base = "http://169.254.169.254/latest"
    assert site.inside(instance, f"curl -s -o /dev/null -w '%{{http_code}}' {base}/meta-data/instance-id") == "401"
    token = f"curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {base}/api/token"
    ask = f'curl -sf -H "X-aws-ec2-metadata-token: $({token})" {base}/meta-data/instance-id'
    assert site.inside(instance, ask) == instance


def test_the_endpoint_in_the_vpc_leads_to_the_aws_api_over_tls(site: Any, instance: str) -> None:
    ca = site.cloud.run / "tls" / "ca.pem"
    url = f"https://{topology.VPC_ENDPOINT}"
    script = (
        f"import boto3; s3 = boto3.client('s3', endpoint_url='{url}', verify='{ca}', region_name='{topology.REGION}'); "
        "s3.create_bucket(Bucket='bucket', CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'}); "
        "s3.put_object(Bucket='bucket', Key='k', Body=b'text'); "
        "print(s3.get_object(Bucket='bucket', Key='k')['Body'].read())"
    )
    assert site.inside(instance, f'cd / && {sys.executable} -c "{script}"') == "b'text'\n"


@pytest.fixture
def hooks(declared: Declared) -> None:
    for name, what in (("ready", "LAUNCHING"), ("drain", "TERMINATING")):
        transition = f"autoscaling:EC2_INSTANCE_{what}"
        declared.asg.put_lifecycle_hook(
            AutoScalingGroupName="fleet", LifecycleHookName=name, LifecycleTransition=transition, HeartbeatTimeout=60
        )


def test_the_images_agent_reaches_metadata_and_all_its_services_through_the_endpoint(
    site: Any, declared: Declared, instance: str, hooks: None, tmp_path: Path
) -> None:
    phases = tmp_path / "phases"
    phases.write_text(f"boot {time.time()}\n")
    words = {
        "INSTANCE_METRICS": "HybridServing/network-test",
        "INSTANCE_SLOT": "stable",
        "INSTANCE_LAUNCH_HOOK": "ready",
        "INSTANCE_TERMINATION_HOOK": "drain",
        "INSTANCE_PHASES": str(phases),
        "AWS_REGION": topology.REGION,
        "AWS_ENDPOINT_URL": f"https://{topology.VPC_ENDPOINT}",
        "AWS_CA_BUNDLE": str(site.cloud.run / "tls" / "ca.pem"),
    }
    environment = " ".join(f"{word}={value}" for word, value in words.items())
    agent = f"cd {checkout_root()} && env -i {environment} {sys.executable} -m model_image.instance"
    told = site.inside(instance, f"{agent} ready 2>&1")
    assert [json.loads(line)["event"] for line in told.splitlines()] == [
        "server ready",
        "launch hook completed",
        "started",
    ]
    found = declared.client("cloudwatch").list_metrics(Namespace=words["INSTANCE_METRICS"])["Metrics"]
    published = [{d["Name"]: d["Value"] for d in metric["Dimensions"]} for metric in found]
    assert published == [{"Slot": "stable", "Phase": phase} for phase in ("boot", "in-service")]
    assert json.loads(site.inside(instance, f"{agent} gone 2>&1"))["event"] == "nothing waits for the termination hook"


def test_a_customer_is_answered_by_both_sites_and_the_split_follows_the_weights(
    site: Any, declared: Declared, instance: str
) -> None:
    site.serve_on_premises()
    declared.weigh(onprem=70, aws=30)
    wait_until(lambda: status(site)["targets"].get("stable", {}).get(instance), what="healthy target", timeout=30)
    wait_until(lambda: _healthy(site, declared), what="the site's health check", timeout=30)
    replies = wait_until(lambda: _replies(site), what="both sites", timeout=30)
    assert [reply.site for reply in replies] == ["onprem", "aws"]
    assert [product.id for product in replies[0].products] == ["P1", "P2", "P3"]
    assert replies[1].image == "repository@sha256:0"
    split = customer.split(site.cloud, 1000)
    assert split.shares == {"onprem": 0.7, "aws": 0.3}
    assert split.fits, split


def test_a_site_that_fails_its_check_gets_no_customers_and_the_error_says_so(
    site: Any, declared: Declared, instance: str
) -> None:
    site.stop("onprem")
    wait_until(lambda: not _healthy(site, declared), what="the failed check", timeout=30)
    wait_until(lambda: customer.split(site.cloud, 50).counts["onprem"] == 0, what="fail-over", timeout=20)
    with pytest.raises(
        UserError, match=r"site onprem: DNS leaves it out, it is unhealthy: 198\.51\.100\.20:443: .*refused"
    ):
        customer.ask(site.cloud, "query")


def test_weight_zero_is_named_as_the_reason_a_site_is_not_seen(site: Any, declared: Declared, instance: str) -> None:
    site.serve_on_premises()
    wait_until(lambda: _healthy(site, declared), what="the site's health check", timeout=30)
    declared.weigh(onprem=100, aws=0)
    wait_until(lambda: customer.split(site.cloud, 50).counts["aws"] == 0, what="the new weight", timeout=20)
    with pytest.raises(UserError, match="site aws: its weight is 0"):
        customer.ask(site.cloud, "query", site="aws")


def test_a_dns_server_that_is_down_and_a_missing_authority_are_named(site: Any, declared: Declared) -> None:
    site.cloud.processes.stop(start.DNS)
    with pytest.raises(UserError, match=r"the DNS server at 203\.0\.113\.53 does not answer"):
        customer.split(site.cloud, 1)
    start.start(site.cloud)
    with pytest.raises(UserError, match="/nowhere: no such file"):
        customer.split(site.cloud, 1, customer.Service(ca=Path("/nowhere")))


def test_an_instance_that_is_gone_leaves_nothing(site: Any, declared: Declared, instance: str) -> None:
    site.stop(instance)
    declared.asg.update_auto_scaling_group(AutoScalingGroupName="fleet", DesiredCapacity=0)
    namespace = Path("/run/netns") / site.cloud.namespace(instance)
    wait_until(lambda: not namespace.exists(), what="the end of the instance's network", timeout=30)
    assert not (places.instances(site.cloud) / instance).exists()


def _healthy(site: Any, declared: Declared) -> bool:
    told = json.loads(health_file(site.cloud).read_text()).get(declared.check)
    return bool(told and told["checked"] and told["healthy"])


def _replies(site: Any) -> list[customer.Reply]:
    try:
        return customer.ask(site.cloud, "wireless headphones", k=3)
    except UserError:
        return []
