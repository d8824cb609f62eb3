"""Instance metadata, version 2."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from scripts.localcloud.aws.data_plane.identity import Identity, document, identities
from scripts.localcloud.aws.data_plane.metadata import Service
from scripts.localcloud.aws.data_plane.view import Instance

ONE = Identity(
    id="i-1",
    address="10.30.1.4",
    region="eu-central-1",
    zone="eu-central-1a",
    type="g5.xlarge",
    ami="ami-1",
    role="serving",
    hop_limit=2,
)
TTL, TOKEN = "x-aws-ec2-metadata-token-ttl-seconds", "x-aws-ec2-metadata-token"
NOW = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
DATA = "/latest/meta-data"


@pytest.fixture
def service() -> Service:
    return Service()


def get(service: Service, path: str, *, who: Identity = ONE, later: float = 0.0) -> tuple[int, str]:
    token = service.token(ONE, {TTL: "60"}, NOW).body
    reply = service.get(who, path, {TOKEN: token}, NOW + later)
    return reply.code, reply.body


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("instance-id", "i-1"),
        ("local-ipv4", "10.30.1.4"),
        ("placement/region", "eu-central-1"),
        ("placement/availability-zone", "eu-central-1a"),
        ("iam/security-credentials/", "serving"),
        ("autoscaling/target-lifecycle-state", "InService"),
    ],
)
def test_values_of_the_asking_instance(service: Service, path: str, value: str) -> None:
    assert get(service, f"{DATA}/{path}") == (200, value)


def test_credentials_of_the_role_end_in_the_future(service: Service) -> None:
    code, body = get(service, f"{DATA}/iam/security-credentials/serving")
    told = json.loads(body)
    assert (code, told["Code"], told["Expiration"]) == (200, "Success", "2030-01-01T06:00:00Z")


def test_the_identity_document_tells_instance_and_launch(service: Service) -> None:
    launched = replace(ONE, launched=datetime(2029, 12, 31, 23, 59, 1, 500000, UTC).timestamp())
    told = json.loads(get(service, "/latest/dynamic/instance-identity/document", who=launched)[1])
    assert (told["instanceId"], told["region"]) == ("i-1", "eu-central-1")
    assert told["pendingTime"] == "2029-12-31T23:59:01Z"


def test_a_declared_interruption_is_announced_in_the_form_of_the_spot_service(service: Service) -> None:
    noticed = replace(ONE, interruption="2030-01-01T00:02:00Z")
    code, body = get(service, f"{DATA}/spot/instance-action", who=noticed)
    assert (code, json.loads(body)) == (200, {"action": "terminate", "time": "2030-01-01T00:02:00Z"})


@pytest.mark.parametrize(
    "path", [f"{DATA}/nothing", f"{DATA}/iam/security-credentials/other", "/", f"{DATA}/spot/instance-action"]
)
def test_what_is_not_there_is_404(service: Service, path: str) -> None:
    assert get(service, path) == (404, "")


def test_a_request_without_a_token_is_refused(service: Service) -> None:
    assert service.get(ONE, f"{DATA}/instance-id", {}, NOW).code == 401


def test_a_token_ends_when_its_time_is_over(service: Service) -> None:
    assert get(service, f"{DATA}/instance-id", later=59)[0] == 200
    assert get(service, f"{DATA}/instance-id", later=60)[0] == 401


def test_a_token_of_another_instance_is_refused(service: Service) -> None:
    other = Identity(**{**vars(ONE), "id": "i-2"})
    assert get(service, f"{DATA}/instance-id", who=other)[0] == 401


@pytest.mark.parametrize("life", ["", "0", "21601", "-1", "ten"])
def test_a_token_needs_a_life_within_the_limits(service: Service, life: str) -> None:
    assert service.token(ONE, {TTL: life}, NOW).code == 400


def test_a_proxied_request_gets_no_token(service: Service) -> None:
    assert service.token(ONE, {TTL: "60", "x-forwarded-for": "192.0.2.1"}, NOW).code == 403


def test_an_instance_without_a_role_has_no_credentials(service: Service) -> None:
    bare = Identity(**{**vars(ONE), "role": ""})
    assert get(service, f"{DATA}/iam/security-credentials", who=bare) == (404, "")


INSTANCE = Instance(
    id="i-1",
    group="fleet",
    address="10.30.1.4",
    zone="eu-central-1a",
    type="g5.xlarge",
    ami="ami-1",
    user_data="#cloud-config",
    role="serving",
    hop_limit=2,
)


def test_instances_are_known_by_their_addresses() -> None:
    assert identities(document((INSTANCE,), "eu-central-1")) == {"10.30.1.4": ONE}
    assert identities(None) == {}


def test_an_instance_that_is_declared_no_more_but_still_here_is_told_that_it_ends() -> None:
    before = document((INSTANCE,), "eu-central-1")
    ending = document((), "eu-central-1", before, held={"i-1"})
    assert identities(ending) == {"10.30.1.4": replace(ONE, target_state="Terminated")}
    assert document((), "eu-central-1", ending, held={"i-1"}) == ending, "and stays so"
    assert document((), "eu-central-1", ending, held=()) == {}


def test_a_new_instance_at_the_address_of_one_that_ends_is_the_one_that_counts() -> None:
    before = document((INSTANCE,), "eu-central-1")
    new = replace(INSTANCE, id="i-2")
    assert identities(document((new,), "eu-central-1", before, held={"i-1"})) == {"10.30.1.4": replace(ONE, id="i-2")}
