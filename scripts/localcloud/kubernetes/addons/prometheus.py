"""Prometheus, from Debian's package: it reads every pod that asks for it and applies the alert rules of the stacks.

A pod asks by the annotations ``prometheus.io/scrape: "true"`` and ``prometheus.io/port`` (and ``prometheus.io/path`` or
``prometheus.io/scheme`` where they are not ``/metrics`` and ``http``). Rules are ConfigMaps of any namespace with the
label RULES; each of their keys that ends in ``.yaml`` is a rule file. A second container, the follower, finds both: see
its folder.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from scripts.localcloud import tools
from scripts.localcloud.kubernetes.addons import objects as o
from scripts.localcloud.kubernetes.addons import rights
from scripts.localcloud.kubernetes.addons.addon import Addon, Image, Keys, Object

NAME, NAMESPACE, PORT = "prometheus", "monitoring", 9090
FOLLOWER = "follower"
RULES = "prometheus-rules=true"  # label that makes a ConfigMap one of rule files
FOLLOWER_FILES = Path(__file__).parent / FOLLOWER
TRIPLET = "x86_64-linux-gnu"


def configuration() -> str:
    """prometheus.yml."""
    pods = {
        "job_name": "pods",
        "tls_config": {"insecure_skip_verify": True},  # pods are asked by address, a certificate has a service's name
        "file_sd_configs": [{"files": ["/known/targets.json"]}],
    }
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": "5s", "scrape_timeout": "4s", "evaluation_interval": "5s"},
            "rule_files": ["/known/rules/*.yaml"],
            "scrape_configs": [pods],
        },
        sort_keys=False,
    )


def follower_files() -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(FOLLOWER_FILES.iterdir())}


def objects(images: Mapping[str, str], _keys: Keys) -> list[Object]:
    me = (NAME, NAMESPACE)
    known = {"name": "known", "mountPath": "/known"}
    server = o.container(
        NAME,
        images[NAME],
        args=[
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/data",
            "--storage.tsdb.retention.time=6h",
            f"--web.listen-address=:{PORT}",
            "--web.enable-lifecycle",
        ],
        ports=[{"name": "http", "containerPort": PORT}],
        readinessProbe=o.ready("http", "/-/ready"),
        livenessProbe=o.alive("http", "/-/healthy"),
        resources=o.memory("100Mi", "500Mi"),
        volumeMounts=[
            known,
            {"name": "data", "mountPath": "/data"},
            {"name": "config", "mountPath": "/etc/prometheus", "readOnly": True},
        ],
    )
    follower = o.container(
        FOLLOWER,
        images[FOLLOWER],
        command=["/bin/busybox", "sh", "/follower/follow.sh"],
        env=[
            {"name": "HOME", "value": "/tmp"},
            {"name": "RULES", "value": RULES},
            {"name": "RELOAD", "value": f"http://127.0.0.1:{PORT}/-/reload"},
        ],
        resources=o.memory("20Mi", "150Mi"),
        volumeMounts=[
            known,
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": FOLLOWER, "mountPath": "/follower", "readOnly": True},
        ],
    )
    return [
        o.namespace(NAMESPACE),
        rights.account(*me),
        rights.cluster_role(NAME, [rights.rule([""], ["pods", "configmaps"], ["get", "list"])]),
        rights.bind(NAME, NAME, me),
        o.config_map(*me, {"prometheus.yml": configuration()}),
        o.config_map(FOLLOWER, NAMESPACE, follower_files()),
        o.deployment(
            *me,
            [server, follower],
            account=NAME,
            annotations=o.content(configuration(), *follower_files().values()),
            volumes=[
                *({"name": name, "emptyDir": {}} for name in ("known", "data", "tmp")),
                {"name": "config", "configMap": {"name": NAME}},
                {"name": FOLLOWER, "configMap": {"name": FOLLOWER}},
            ],
        ),
        o.service(*me, {"http": PORT}),
    ]


def _programs() -> dict[str, Path]:
    root = tools.debian("prometheus", "libc6")
    loader, library = "ld-linux-x86-64.so.2", "libc.so.6"
    return {
        "bin/prometheus": root / "usr/bin/prometheus",
        f"lib64/{loader}": _library(root, loader),
        f"lib/{TRIPLET}/{library}": _library(root, library),
    }


def _library(root: Path, name: str) -> Path:
    # Later releases of Debian keep /lib below /usr.
    return next(path for folder in ("lib", "usr/lib") if (path := root / folder / TRIPLET / name).exists())


def _follower() -> dict[str, Path]:
    busybox = tools.debian("busybox-static") / "bin" / "busybox"
    return {"bin/busybox": busybox, "bin/kubectl": tools.go_tool("kubernetes") / "kubectl"}


ADDON = Addon(
    name=NAME,
    namespace=NAMESPACE,
    images=(Image(name=NAME, files=_programs), Image(name=FOLLOWER, files=_follower)),
    objects=objects,
    deployments=(NAME,),
)
