"""What an instance does at its first start: the user data, from plain values. Pure functions.

The machine image is Amazon Linux 2023 with docker and, for GPUs, NVIDIA's driver and container toolkit. What cannot be
said in a unit is a script of the folder `host`, which is put on the machine as it is: its values come from HOST_FILE.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from infra.aws.lifecycle_hooks import LAUNCH_HOOK, TERMINATION_HOOK
from infra.aws.units import USER, boot, units
from infra.images import ImageReference

ENVIRONMENT_FILE = "/etc/serving/server.env"
AGENT_FILE = "/etc/serving/instance.env"
HOST_FILE = "/etc/serving/host.env"
IMAGE_FILE = "/etc/serving/image"
CA_FILE = "/etc/serving/ca.pem"
API_KEYS = "/etc/serving/keys/api-keys"
DATA = "/var/lib/serving"
SCRIPTS = "/usr/local/sbin"
# EC2 API reference, RequestLaunchTemplateData: before base64.
MOST_BYTES = 16384
_HOST = Path(__file__).parent / "host"


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """What one instance serves: which image, for which slot, from which registry (S3 bucket), in which region.

    `metrics` is the CloudWatch namespace of the instance's own metrics, `log_group` the log group of its containers.
    `pooled`: it is stopped after its first start, until the group needs it. `api_keys_parameter`: where the file of
    those who may ask is kept, "" means everybody may.
    """

    image: ImageReference
    slot: str
    region: str
    bucket: str
    gpu: bool
    metrics: str
    log_group: str
    endpoint: str = ""
    ca_bundle: str = ""
    pooled: bool = False
    api_keys_parameter: str = ""


def user_data(bootstrap: Bootstrap) -> str:
    """The cloud-config document, as text (not base64). It holds no secret: the role brings the access.

    ValueError when it is longer than EC2 accepts; only certificates can make it so. The settings' check asks for it
    before there is anything (`infra.config.contradictions`).
    """
    keys = bool(bootstrap.api_keys_parameter)
    described = units(bootstrap.slot, bootstrap.gpu, keys)
    files = [
        _file(ENVIRONMENT_FILE, _lines(server_environment(bootstrap))),
        _file(AGENT_FILE, _lines(agent_environment(bootstrap))),
        _file(HOST_FILE, _lines(host_environment(bootstrap))),
        _file(IMAGE_FILE, f"{bootstrap.image}\n"),
        *(_file(f"{SCRIPTS}/{path.name}", path.read_text(), "0755") for path in _scripts(keys)),
        *(_file(f"/etc/systemd/system/{name}", text) for name, text in described.items()),
    ]
    if bootstrap.ca_bundle:
        files.append(_file(CA_FILE, bootstrap.ca_bundle))
    document = {"write_files": files, "runcmd": boot(keys)}
    text = "#cloud-config\n" + yaml.dump(document, Dumper=_Readable, sort_keys=False, width=4096)
    if (size := len(text.encode())) > MOST_BYTES:
        raise ValueError(
            f"registry.caBundle has {len(bootstrap.ca_bundle)} characters: the user data would have {size} bytes, EC2 "
            f"accepts {MOST_BYTES}; keep only the certificates that registry.awsEndpoint needs"
        )
    return text


def server_environment(bootstrap: Bootstrap) -> dict[str, str]:
    """The environment of the server; the other SERVING_* variables keep the server's own defaults."""
    return {
        "SERVING_SITE": "aws",
        "SERVING_SLOT": bootstrap.slot,
        "SERVING_IMAGE": str(bootstrap.image),
        "SERVING_REGISTRY": f"s3://{bootstrap.bucket}",
        "SERVING_DATA": DATA,
        **({"SERVING_API_KEYS": API_KEYS} if bootstrap.api_keys_parameter else {}),
    } | _aws(bootstrap)


def agent_environment(bootstrap: Bootstrap) -> dict[str, str]:
    """The environment of the image's agent (`python -m model_image.instance`)."""
    return {
        "INSTANCE_METRICS": bootstrap.metrics,
        "INSTANCE_SLOT": bootstrap.slot,
        "INSTANCE_LAUNCH_HOOK": LAUNCH_HOOK,
        "INSTANCE_TERMINATION_HOOK": TERMINATION_HOOK,
    } | _aws(bootstrap)


def host_environment(bootstrap: Bootstrap) -> dict[str, str]:
    """What the scripts in `host` read, through the units."""
    return {
        "IMAGE": str(bootstrap.image),
        "LOG_GROUP": bootstrap.log_group,
        "SERVER_USER": f"{USER}:{USER}",
        "DATA": DATA,
        "KEEP_IMAGES": "yes" if bootstrap.pooled else "no",
        **_keys(bootstrap.api_keys_parameter),
    } | _aws(bootstrap)


def _keys(parameter: str) -> dict[str, str]:
    return {"API_KEYS": API_KEYS, "API_KEYS_PARAMETER": parameter} if parameter else {}


def _scripts(keys: bool) -> list[Path]:
    """Those of `host` that the units run."""
    return [path for path in sorted(_HOST.glob("serving-*")) if keys or path.name != "serving-keys"]


def _aws(bootstrap: Bootstrap) -> dict[str, str]:
    variables = {"AWS_REGION": bootstrap.region}
    if bootstrap.endpoint:
        variables["AWS_ENDPOINT_URL"] = bootstrap.endpoint
    if bootstrap.ca_bundle:
        variables["AWS_CA_BUNDLE"] = CA_FILE
    return variables


def _file(path: str, content: str, permissions: str = "0644") -> dict[str, str]:
    return {"path": path, "permissions": permissions, "content": content}


def _lines(environment: Mapping[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in environment.items())


class _Readable(yaml.SafeDumper):
    """Writes texts of several lines as such: shorter, and a reader of the launch template sees what runs."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)
