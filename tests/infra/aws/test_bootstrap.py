from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.aws.bootstrap import MOST_BYTES, Bootstrap, user_data
from infra.images import ImageReference
from tests.infra.settings import DIGEST

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
IMAGE = ImageReference(repository="123456789012.dkr.ecr.eu-central-1.amazonaws.com/serving", digest=DIGEST)
CLOUD = Bootstrap(
    image=IMAGE,
    slot="canary",
    region="eu-central-1",
    bucket="models",
    gpu=True,
    metrics="HybridServing/prod",
    log_group="/hybrid-serving/prod/servers",
)
PRIVATE = replace(CLOUD, endpoint="https://10.30.255.10", ca_bundle=PEM)


def document(bootstrap: Bootstrap) -> dict[str, Any]:
    text = user_data(bootstrap)
    assert text.startswith("#cloud-config\n")
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


def files(bootstrap: Bootstrap) -> dict[str, str]:
    return {file["path"]: file["content"] for file in document(bootstrap)["write_files"]}


def environment(bootstrap: Bootstrap, name: str) -> dict[str, str]:
    lines = files(bootstrap)[f"/etc/serving/{name}.env"].splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_the_server_is_told_its_site_slot_image_and_registry() -> None:
    assert environment(CLOUD, "server") == {
        "SERVING_SITE": "aws",
        "SERVING_SLOT": "canary",
        "SERVING_IMAGE": str(IMAGE),
        "SERVING_REGISTRY": "s3://models",
        "SERVING_DATA": "/var/lib/serving",
        "AWS_REGION": "eu-central-1",
    }


def test_the_agent_is_told_its_slot_where_its_metrics_go_and_which_hooks_it_answers() -> None:
    assert environment(CLOUD, "instance") == {
        "INSTANCE_METRICS": "HybridServing/prod",
        "INSTANCE_SLOT": "canary",
        "INSTANCE_LAUNCH_HOOK": "ready",
        "INSTANCE_TERMINATION_HOOK": "drain",
        "AWS_REGION": "eu-central-1",
    }


def test_the_agent_accepts_what_it_is_told() -> None:
    from model_image.instance.config import read_config

    told = read_config(environment(PRIVATE, "instance"))
    assert (told.slot, told.launch_hook, told.termination_hook) == ("canary", "ready", "drain")


def test_the_image_file_holds_the_digest_and_nothing_else() -> None:
    assert files(CLOUD)["/etc/serving/image"] == f"{IMAGE}\n"


@pytest.mark.parametrize("name", ["server", "instance", "host"])
def test_a_private_endpoint_and_its_authority_are_handed_on(name: str) -> None:
    assert files(PRIVATE)["/etc/serving/ca.pem"] == PEM
    assert environment(PRIVATE, name)["AWS_ENDPOINT_URL"] == "https://10.30.255.10"
    assert environment(PRIVATE, name)["AWS_CA_BUNDLE"] == "/etc/serving/ca.pem"


@pytest.mark.parametrize("name", ["server", "instance", "host"])
def test_without_them_aws_itself_is_asked(name: str) -> None:
    assert "/etc/serving/ca.pem" not in files(CLOUD)
    assert not {"AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"} & environment(CLOUD, name).keys()


def test_only_scripts_may_be_run() -> None:
    modes = {file["path"]: file["permissions"] for file in document(CLOUD)["write_files"]}
    assert {path for path, mode in modes.items() if mode == "0755"} == {
        path for path, content in files(CLOUD).items() if content.startswith("#!")
    }


def test_every_script_that_a_unit_runs_is_there() -> None:
    written = files(CLOUD)
    units = "".join(text for path, text in written.items() if path.endswith(".service"))
    ran = {word for word in units.replace("=", " ").split() if word.startswith("/usr/local/sbin/")}
    assert ran
    assert ran <= written.keys()


def test_the_local_data_plane_executes_the_same_user_data() -> None:
    from scripts.localcloud.aws.data_plane.user_data import parse

    boot = parse(user_data(PRIVATE))
    assert boot.image == str(IMAGE)
    assert boot.environment == environment(PRIVATE, "server")
    assert {file.path for file in boot.files} == set(files(PRIVATE))


def test_the_same_values_give_the_same_text() -> None:
    assert user_data(CLOUD) == user_data(replace(CLOUD))


def test_user_data_leaves_room_below_what_ec2_accepts() -> None:
    longest = replace(
        PRIVATE,
        bucket="b" * 63,
        metrics="HybridServing/" + "x" * 10,
        log_group="g" * 100,
        image=ImageReference(repository=IMAGE.repository + "x" * 100, digest=DIGEST),
        ca_bundle=PEM + "M" * 4000,  # two certificates
    )
    assert len(user_data(longest).encode()) < MOST_BYTES - 2048


def test_more_certificates_than_fit_are_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match=r"registry\.caBundle has 20000 characters.*accepts 16384; keep only"):
        user_data(replace(CLOUD, ca_bundle="M" * 20000))


UNCHANGED = files(CLOUD)


@settings(max_examples=20, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_no_value_can_change_another_file(text: str) -> None:
    changed = files(replace(CLOUD, bucket=text))
    assert environment_line(changed, "SERVING_REGISTRY") == f"s3://{text}"
    assert {path for path, content in changed.items() if content != UNCHANGED[path]} <= {"/etc/serving/server.env"}


def environment_line(written: dict[str, str], key: str) -> str:
    (line,) = [line for line in written["/etc/serving/server.env"].splitlines() if line.startswith(f"{key}=")]
    return line.partition("=")[2]
