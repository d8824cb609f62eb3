"""What an instance does at its first start: the user data, from plain values. A pure function."""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from infra.images import ImageReference

ENVIRONMENT_FILE = "/etc/serving/server.env"
IMAGE_FILE = "/etc/serving/image"
CA_FILE = "/etc/serving/ca.pem"
UNIT_FILE = "/etc/systemd/system/serving.service"
DATA = "/var/lib/serving"
# The server's user inside the image; /var/lib/serving must be its own.
USER = 10001
# Above the load balancer's draining time, so that a stop never cuts a request.
STOP_SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """What one instance serves: which image, for which slot, from which registry (S3 bucket), in which region."""

    image: ImageReference
    slot: str
    region: str
    bucket: str
    gpu: bool
    endpoint: str = ""
    ca_bundle: str = ""


def user_data(bootstrap: Bootstrap) -> str:
    """The cloud-config document, as text (not base64). It holds no secret: the role brings the access."""
    files = [
        _file(ENVIRONMENT_FILE, _lines(server_environment(bootstrap))),
        _file(IMAGE_FILE, f"{bootstrap.image}\n"),
        _file(UNIT_FILE, _unit(bootstrap)),
    ]
    if bootstrap.ca_bundle:
        files.append(_file(CA_FILE, bootstrap.ca_bundle))
    commands = [["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", "serving.service"]]
    document = {"write_files": files, "runcmd": commands}
    return "#cloud-config\n" + yaml.safe_dump(document, sort_keys=False, width=4096)


def server_environment(bootstrap: Bootstrap) -> dict[str, str]:
    """The environment of the server; the other SERVING_* variables keep the server's own defaults."""
    environment = {
        "SERVING_SITE": "aws",
        "SERVING_SLOT": bootstrap.slot,
        "SERVING_IMAGE": str(bootstrap.image),
        "SERVING_REGISTRY": f"s3://{bootstrap.bucket}",
        "SERVING_DATA": DATA,
        "AWS_REGION": bootstrap.region,
    }
    if bootstrap.endpoint:
        environment["AWS_ENDPOINT_URL"] = bootstrap.endpoint
    if bootstrap.ca_bundle:
        environment["AWS_CA_BUNDLE"] = CA_FILE
    return environment


def _file(path: str, content: str) -> dict[str, str]:
    return {"path": path, "permissions": "0644", "content": content}


def _lines(environment: Mapping[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in environment.items())


def _unit(bootstrap: Bootstrap) -> str:
    image = bootstrap.image
    options = " ".join(
        [
            *(["--gpus all"] if bootstrap.gpu else []),
            f"--name serving --network host --user {USER}:{USER} --read-only --tmpfs /tmp",
            f"--env-file {ENVIRONMENT_FILE} --volume /etc/serving:/etc/serving:ro --volume {DATA}:{DATA}",
        ]
    )
    login = f"aws ecr get-login-password --region {bootstrap.region}"
    return f"""\
[Unit]
Description=The serving image, slot {bootstrap.slot}
After=docker.service network-online.target
Wants=network-online.target
Requires=docker.service

[Service]
Environment=HOME=/root
ExecStartPre=install --directory --owner {USER} --group {USER} {DATA}
ExecStartPre=/bin/sh -c '{login} | docker login --username AWS --password-stdin {image.registry}'
ExecStartPre=docker pull {image}
ExecStartPre=-docker rm --force serving
ExecStart=docker run --rm {options} {image}
ExecStop=docker stop --time {STOP_SECONDS} serving
TimeoutStartSec=1800
TimeoutStopSec={STOP_SECONDS + 10}
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
"""
