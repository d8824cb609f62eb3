from dataclasses import replace
from typing import Any

import yaml

from infra.aws.bootstrap import Bootstrap, user_data
from infra.images import ImageReference
from tests.infra.settings import DIGEST

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
IMAGE = ImageReference(repository="123456789012.dkr.ecr.eu-central-1.amazonaws.com/serving", digest=DIGEST)
CLOUD = Bootstrap(image=IMAGE, slot="canary", region="eu-central-1", bucket="models", gpu=True)


def files(bootstrap: Bootstrap) -> dict[str, str]:
    text = user_data(bootstrap)
    assert text.startswith("#cloud-config\n")
    document: dict[str, Any] = yaml.safe_load(text)
    return {file["path"]: file["content"] for file in document["write_files"]}


def environment(bootstrap: Bootstrap) -> dict[str, str]:
    lines = files(bootstrap)["/etc/serving/server.env"].splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_the_server_is_told_its_site_slot_image_and_registry() -> None:
    assert environment(CLOUD) == {
        "SERVING_SITE": "aws",
        "SERVING_SLOT": "canary",
        "SERVING_IMAGE": str(IMAGE),
        "SERVING_REGISTRY": "s3://models",
        "SERVING_DATA": "/var/lib/serving",
        "AWS_REGION": "eu-central-1",
    }


def test_the_image_file_holds_the_digest_and_nothing_else() -> None:
    assert files(CLOUD)["/etc/serving/image"] == f"{IMAGE}\n"


def test_a_private_endpoint_and_its_authority_are_handed_on() -> None:
    local = replace(CLOUD, endpoint="https://10.30.255.10", ca_bundle=PEM)
    assert files(local)["/etc/serving/ca.pem"] == PEM
    assert environment(local)["AWS_ENDPOINT_URL"] == "https://10.30.255.10"
    assert environment(local)["AWS_CA_BUNDLE"] == "/etc/serving/ca.pem"


def test_without_them_aws_itself_is_asked() -> None:
    assert "/etc/serving/ca.pem" not in files(CLOUD)
    assert not {"AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"} & environment(CLOUD).keys()


def test_the_unit_pulls_by_digest_and_runs_with_few_rights() -> None:
    unit = files(CLOUD)["/etc/systemd/system/serving.service"]
    assert f"docker pull {IMAGE}\n" in unit
    (run,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    assert run.endswith(str(IMAGE))
    assert "--read-only" in run
    assert "--user 10001:10001" in run
    assert "--gpus all" in run
    assert "--gpus" not in files(replace(CLOUD, gpu=False))["/etc/systemd/system/serving.service"]


def test_the_service_is_started_at_once_and_at_every_boot() -> None:
    assert yaml.safe_load(user_data(CLOUD))["runcmd"] == [
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", "--now", "serving.service"],
    ]


def test_the_same_values_give_the_same_text() -> None:
    assert user_data(CLOUD) == user_data(replace(CLOUD))


def test_user_data_stays_below_what_ec2_accepts() -> None:
    assert len(user_data(replace(CLOUD, endpoint="https://10.30.255.10", ca_bundle=PEM * 100))) < 16 * 1024
