"""Where a registry cache keeps its releases: a volume of a storage class, or a folder of its node. Pure functions."""

from pulumi import Input
from pulumi_kubernetes import core, meta

from infra.config.cache import CacheConfig
from infra.onprem.restricted import USER

DATA = "/var/lib/cache"
_POD_NAME = "POD_NAME"


def pod_security(config: CacheConfig) -> str:
    """The least level of the Pod Security Standards that the namespace can have: a node's folder needs the highest."""
    return "restricted" if config.storage_class else "privileged"


def claim(config: CacheConfig) -> list[core.v1.PersistentVolumeClaimArgs]:
    """The claim of each cache's volume; none where it is a folder of the node."""
    if not config.storage_class:
        return []
    return [
        core.v1.PersistentVolumeClaimArgs(
            metadata=meta.v1.ObjectMetaArgs(name="data"),
            spec=core.v1.PersistentVolumeClaimSpecArgs(
                access_modes=["ReadWriteOnce"],
                storage_class_name=config.storage_class,
                resources=core.v1.VolumeResourceRequirementsArgs(requests={"storage": config.size}),
            ),
        )
    ]


def folder(config: CacheConfig) -> list[core.v1.VolumeArgs]:
    """The node's folder as the pod's volume; none where there is a claim."""
    if config.storage_class:
        return []
    source = core.v1.HostPathVolumeSourceArgs(path=config.path, type="DirectoryOrCreate")
    return [core.v1.VolumeArgs(name="data", host_path=source)]


def mount(config: CacheConfig) -> core.v1.VolumeMountArgs:
    """Where the cache finds its volume."""
    # Two caches may share a node, and thus its folder, but no folder inside.
    own = None if config.storage_class else f"$({_POD_NAME})"
    return core.v1.VolumeMountArgs(name="data", mount_path=DATA, sub_path_expr=own)


def pod_name() -> core.v1.EnvVarArgs:
    """The variable that names the folder inside the node's."""
    source = core.v1.EnvVarSourceArgs(field_ref=core.v1.ObjectFieldSelectorArgs(field_path="metadata.name"))
    return core.v1.EnvVarArgs(name=_POD_NAME, value_from=source)


def owner(image: Input[str], config: CacheConfig) -> core.v1.ContainerArgs:
    """Gives the node's folder to the cache's user and ends: Kubernetes makes it root's, and fsGroup leaves it so.

    Of all ways to outlive the pod without a storage class this asks least: the cache itself stays without any right,
    only this moment before it is root, with the one capability to give files away. A folder that an administrator
    prepares on every node would need none, but every new node would need the administrator.
    """
    return core.v1.ContainerArgs(
        name="owner",
        image=image,
        image_pull_policy="IfNotPresent",
        command=["chown", f"{USER}:{USER}", DATA],
        env=[pod_name()],
        resources=core.v1.ResourceRequirementsArgs(
            requests={"cpu": "10m", "memory": "16Mi"}, limits={"memory": "64Mi"}
        ),
        security_context=core.v1.SecurityContextArgs(
            run_as_non_root=False,
            run_as_user=0,
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=core.v1.CapabilitiesArgs(drop=["ALL"], add=["CHOWN"]),
        ),
        volume_mounts=[mount(config)],
    )
