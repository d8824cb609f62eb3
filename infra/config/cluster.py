"""Which cluster the objects are made in: the provider's own settings, of which two may not be left to chance."""

from infra.config.reader import Reader
from infra.config.source import Settings

_RULES = {
    "context": "without it the objects are made wherever kubectl happens to point; set it to the cluster's context",
    "clusterIdentifier": "without it a new address of the API server reads as another cluster, and every object would "
    "be replaced; set it to a name of the cluster that stays, such as its context",
}


def read_cluster(reader: Reader, settings: Settings) -> str:
    """The context in the kubeconfig; what is not set is added to the reader's problems."""
    reader.problems.extend(
        f"kubernetes:{key} is not set: {rule}" for key, rule in _RULES.items() if not settings.kubernetes.get(key)
    )
    return str(settings.kubernetes.get("context", ""))
