"""The files of a serving pod: certificate, API keys, and where it may write. From plain values, pure functions."""

from pulumi_kubernetes import core

TLS, DATA = "/etc/serving/tls", "/var/lib/serving"
_KEYS, _TMP = "/etc/serving/keys", "/tmp"
# The key of the Secret that `serving.apiKeysSecret` names, and the file's name.
API_KEYS = "api-keys"
_WRITABLE = ("data", "tmp")


def environment(api_keys_secret: str) -> dict[str, str]:
    """What a server is told of its files."""
    keys = {"SERVING_API_KEYS": f"{_KEYS}/{API_KEYS}"} if api_keys_secret else {}
    return {"SERVING_DATA": DATA, "SERVING_TLS_CERT": f"{TLS}/tls.crt", "SERVING_TLS_KEY": f"{TLS}/tls.key"} | keys


def mounts(api_keys_secret: str, others: dict[str, str]) -> list[core.v1.VolumeMountArgs]:
    """Where the volumes are, and `others` (path by volume). Whole folders: what is mounted by `subPath` never changes,
    and a renewed certificate or key has to arrive."""
    paths = {"tls": TLS, "data": DATA, "tmp": _TMP} | ({"keys": _KEYS} if api_keys_secret else {}) | others
    return [
        core.v1.VolumeMountArgs(name=volume, mount_path=path, read_only=volume not in _WRITABLE)
        for volume, path in paths.items()
    ]


def volumes(tls_secret: str, api_keys_secret: str) -> list[core.v1.VolumeArgs]:
    """The volumes of `mounts`, but for its `others`."""
    return [
        core.v1.VolumeArgs(name="tls", secret=core.v1.SecretVolumeSourceArgs(secret_name=tls_secret)),
        *([_keys(api_keys_secret)] if api_keys_secret else []),
        *(core.v1.VolumeArgs(name=name, empty_dir=core.v1.EmptyDirVolumeSourceArgs()) for name in _WRITABLE),
    ]


def _keys(secret: str) -> core.v1.VolumeArgs:
    """Of the Secret only the one file: what else it may hold is nothing a server needs."""
    file = core.v1.KeyToPathArgs(key=API_KEYS, path=API_KEYS)
    return core.v1.VolumeArgs(name="keys", secret=core.v1.SecretVolumeSourceArgs(secret_name=secret, items=[file]))
