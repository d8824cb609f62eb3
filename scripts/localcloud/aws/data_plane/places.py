"""Where the data plane keeps its files in the run folder."""

from pathlib import Path

from scripts.localcloud.cloud import LocalCloud


def folder(cloud: LocalCloud) -> Path:
    return cloud.run / "data-plane"


def status(cloud: LocalCloud) -> Path:
    """What runs, what is healthy, and what is declared but cannot be executed."""
    return folder(cloud) / "status.json"


def metadata(cloud: LocalCloud) -> Path:
    """Address → identity, for the metadata service."""
    return folder(cloud) / "metadata.json"


def instances(cloud: LocalCloud) -> Path:
    """One folder per instance: ``root`` (files of its user data), ``data``, ``run``, ``server.log``, ``agent.log``."""
    return cloud.run / "instances"
