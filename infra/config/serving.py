"""Settings of the site's servers: how many, what each may use, and who decides how many run."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.config.kubernetes import check_label, check_quantity, parse_cores
from infra.config.reader import Reader

MAX_REPLICAS = 1000


@dataclass(frozen=True, kw_only=True)
class AutoscalingConfig:
    """Between how many pods the autoscaler may choose, and by what.

    `queued_texts` is how many waiting texts per pod are enough; above, there are more pods. `prometheus` is the URL of
    the server that knows them. `cooldown_seconds` is how long the queue must have stayed short before pods go.
    """

    min_replicas: int
    max_replicas: int
    queued_texts: int
    prometheus: str
    cooldown_seconds: int


@dataclass(frozen=True, kw_only=True)
class ServingConfig:
    """The pods: how many, what each may use (Kubernetes quantities), and GPUs per pod (0: CPU profile).

    `replicas` is the number of pods, and with autoscaling the least. `disk` holds two releases and a third on its way.
    `rollout_seconds`: a roll-out without progress for so long has failed. `api_keys_secret` is the Secret with the file
    of those who may ask, "" means everybody.
    """

    replicas: int
    cpu: str
    memory: str
    disk: str
    gpus: int
    rollout_seconds: int
    api_keys_secret: str
    autoscaling: AutoscalingConfig | None


def read_serving(reader: Reader) -> ServingConfig:
    """The section `serving`."""
    autoscaling = _autoscaling(reader.section("autoscaling")) if reader.has("autoscaling") else None
    replicas = reader.integer("replicas", low=1, high=MAX_REPLICAS, default=2)
    if autoscaling and reader.has("replicas"):
        rule = "with autoscaling its minReplicas is the least number of pods; remove one of the two"
        reader.refuse("replicas", replicas, rule)
    return ServingConfig(
        replicas=autoscaling.min_replicas if autoscaling else replicas,
        cpu=reader.text("cpu", default="2", example="2", check=parse_cores),
        memory=reader.text("memory", default="4Gi", example="4Gi", check=check_quantity),
        disk=reader.text("disk", default="10Gi", example="10Gi", check=check_quantity),
        gpus=reader.integer("gpus", low=0, high=16, default=1),
        # 10 minutes in which a new pod may start, and the pull of a few GB before it.
        rollout_seconds=reader.integer("rolloutSeconds", low=60, high=7200, default=840),
        api_keys_secret=reader.text("apiKeysSecret", default="", example="serving-api-keys", check=check_label),
        autoscaling=autoscaling,
    )


def _autoscaling(reader: Reader) -> AutoscalingConfig:
    least = reader.integer("minReplicas", low=1, high=MAX_REPLICAS)
    most = reader.integer("maxReplicas", low=1, high=MAX_REPLICAS)
    # Either is None when it was refused itself.
    if least is not None and most is not None and most < least:
        reader.refuse("maxReplicas", most, f"at least minReplicas ({least}) is needed")
    return AutoscalingConfig(
        min_replicas=least,
        max_replicas=most,
        queued_texts=reader.integer("queuedTextsPerPod", low=1, high=10_000, default=32),
        prometheus=reader.text("prometheus", example="http://prometheus.monitoring.svc:9090", check=_check_url),
        cooldown_seconds=reader.integer("cooldownSeconds", low=0, high=3600, default=360),
    )


def _check_url(text: str) -> None:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("the http or https URL of a Prometheus server is needed")
