"""Settings of the job that trains the next release on the site's own machines."""

import re
from dataclasses import dataclass

from infra.config.cron import check_cron
from infra.config.kubernetes import check_label, check_quantity, parse_cores
from infra.config.reader import Reader

_MODULE = re.compile(r"[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)*")


@dataclass(frozen=True, kw_only=True)
class RetrainingConfig:
    """What runs, when, and on how much. `schedule` is cron's, in UTC.

    `module` (of Python, with `arguments`) is started by torchrun on `workers` pods: one process per GPU, or one where
    `gpus` per pod is 0. After `deadline_hours` a run is ended.

    `data_claim` is a PersistentVolumeClaim with the shop's tables, `key_secret` a Secret with the key that users'
    names are hashed with; both exist in the workers' namespace, '' where the module needs none.
    """

    schedule: str
    module: str
    arguments: tuple[str, ...]
    data_claim: str
    key_secret: str
    workers: int
    cpu: str
    memory: str
    gpus: int
    deadline_hours: int


def read_retraining(reader: Reader) -> RetrainingConfig | None:
    """The section `retraining`; None where the site does not train."""
    enabled = reader.flag("enabled", default=False)
    required = {} if enabled else {"default": ""}
    config = RetrainingConfig(
        schedule=reader.text("schedule", default="0 2 * * *", example="0 2 * * *", check=_check_schedule),
        module=reader.text("module", example="model_image.workers", check=_check_module, **required),
        arguments=reader.texts("arguments", default=(), example="[--epochs, '3']"),
        data_claim=reader.text("dataClaim", default="", example="shop-data", check=check_label),
        key_secret=reader.text("keySecret", default="", example="pseudonyms", check=check_label),
        workers=reader.integer("workers", low=1, high=64, default=1),
        cpu=reader.text("cpu", default="4", example="4", check=parse_cores),
        memory=reader.text("memory", default="16Gi", example="16Gi", check=check_quantity),
        gpus=reader.integer("gpus", low=0, high=16, default=1),
        deadline_hours=reader.integer("deadlineHours", low=1, high=168, default=12),
    )
    return config if enabled else None


def _check_schedule(text: str) -> None:
    check_cron(text)
    if "7" in text.split()[4]:
        raise ValueError("Kubernetes knows Sunday as 0 only")


def _check_module(text: str) -> None:
    if not _MODULE.fullmatch(text):
        raise ValueError("the dotted name of a Python module in the serving image is needed")
