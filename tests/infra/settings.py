"""Settings for tests: the tracked production examples, changed where a test wants them to be."""

import json
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).resolve().parents[2] / "stacks" / "config"
DIGEST = "sha256:" + "ab" * 32
OTHER_DIGEST = "sha256:" + "cd" * 32
REMOVED = object()


def example(role: str, changes: dict[str, Any] | None = None) -> dict[str, str]:
    """The config of `prod-<role>` as the engine hands it over (sections as JSON text).

    `changes` maps a key, with dots into sections (`slots.stable.image`), to its new value, or to REMOVED.
    """
    config: dict[str, Any] = yaml.safe_load((EXAMPLES / f"Pulumi.prod-{role}.yaml").read_text())["config"]
    for path, value in (changes or {}).items():
        *sections, key = (path if ":" in path else f"hybrid-serving:{path}").split(".")
        target = config
        for section in sections:
            target = target.setdefault(section, {})
        if value is REMOVED:
            target.pop(key, None)
        else:
            target[key] = value
    return {key: as_engine(value) for key, value in config.items()}


def as_engine(value: Any) -> str:
    """A value of a stack file as the program gets it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def aws_example(**changes: Any) -> dict[str, str]:
    """`prod-aws` with an image in the stable slot, so that there is a fleet; `__` in a keyword stands for a dot."""
    changed = {key.replace("__", "."): value for key, value in changes.items()}
    return example("aws", {"slots.stable.image": DIGEST} | changed)


ROLES = ("onprem", "publisher", "collector", "preview", "deploy")
TUNNELS = [
    {
        "gateway_address": "198.51.100.10",
        "outside_address": f"203.0.113.1{number}",
        "inside_cidr": f"169.254.1{number}.0/30",
        "aws_inside_address": f"169.254.1{number}.1",
        "site_inside_address": f"169.254.1{number}.2",
        "preshared_key": f"key-of-tunnel-{number}",
        "aws_asn": 64512.0,
    }
    for number in (1, 2)
]
AWS_OUTPUTS = {
    "region": "eu-central-1",
    "vpc_id": "vpc-1",
    "vpc_cidr": "10.30.0.0/16",
    "registry_bucket": "models",
    "registry_endpoint": "https://bucket.vpce-1.s3.eu-central-1.vpce.amazonaws.com",
    "image_repository_url": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/serving",
    "load_balancer_dns_name": "edge.eu-central-1.elb.amazonaws.com",
    "load_balancer_zone_id": "Z-ELB",
    "stable_image": DIGEST,
    "machine_image": "ami-0123456789abcdef0",
    "api_keys": False,
    "alarm_topic_arn": "arn:aws:sns:eu-central-1:123456789012:alarms",
    **{f"{role}_role_arn": f"arn:aws:iam::123456789012:role/{role}" for role in ROLES},
    "tunnels": TUNNELS,
}
ONPREM_OUTPUTS = {
    "endpoint_address": "198.51.100.20",
    "image": DIGEST,
    "namespace": "serving",
    "deployment": "serving",
}
REFERENCES = {
    "organization/hybrid-serving/prod-aws": AWS_OUTPUTS,
    "organization/hybrid-serving/prod-onprem": ONPREM_OUTPUTS,
}
