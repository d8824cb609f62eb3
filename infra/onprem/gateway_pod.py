"""The VPN gateway's pod, from plain values. A pure function.

It shares the node's network, because the tunnels end at an address of the node and carry what the node forwards; of the
rights that this needs it gets two, and no others.
"""

from dataclasses import dataclass

from pulumi_kubernetes import core

from infra.onprem.gateway_agent.plan import USERSPACE

METRICS_PORT = 9750
# BIRD and each charon have 5 s to say goodbye to AWS (gateway_agent/children.py).
GRACE_SECONDS = 20
_FILES, _RUN, _TMP, _TUN = "/etc/vpn", "/run/vpn", "/tmp", "/dev/net/tun"
_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class GatewayPodArgs:
    """`config_map` and `secret` together hold the gateway's files; `ipsec` is who encrypts: kernel or userspace.

    `pull_secret` names the Secret for the image's registry, "" where it needs none.
    """

    image: str
    config_map: str
    secret: str
    node_selector: dict[str, str]
    ipsec: str
    pull_secret: str


def pod_annotations() -> dict[str, str]:
    """Where Prometheus finds the tunnels' states."""
    words = {"scrape": "true", "port": str(METRICS_PORT), "path": "/metrics", "scheme": "http"}
    return {f"prometheus.io/{word}": value for word, value in words.items()}


def gateway_pod(args: GatewayPodArgs) -> core.v1.PodSpecArgs:
    """The pod of one gateway."""
    return core.v1.PodSpecArgs(
        host_network=True,
        dns_policy="Default",  # it looks up no name, and must not need the cluster's DNS
        automount_service_account_token=False,
        enable_service_links=False,
        node_selector=args.node_selector,
        image_pull_secrets=[core.v1.LocalObjectReferenceArgs(name=args.pull_secret)] if args.pull_secret else None,
        # Gateway nodes may be kept free of other pods by a taint with the label's key.
        tolerations=[core.v1.TolerationArgs(key=key, operator="Exists") for key in args.node_selector],
        # Of a node that runs short of something, it is the last to go: without it the site has no release.
        priority_class_name="system-cluster-critical",
        termination_grace_period_seconds=GRACE_SECONDS,
        security_context=core.v1.PodSecurityContextArgs(
            seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault")
        ),
        containers=[_container(args)],
        volumes=_volumes(args),
    )


def _container(args: GatewayPodArgs) -> core.v1.ContainerArgs:
    host_ip = core.v1.EnvVarSourceArgs(field_ref=core.v1.ObjectFieldSelectorArgs(field_path="status.hostIP"))
    return core.v1.ContainerArgs(
        name="gateway",
        image=args.image,
        image_pull_policy="IfNotPresent",  # a digest never changes its content
        # At the node's address in the cluster, never at the one that the internet sees.
        args=["run", "--metrics", f"$(HOST_IP):{METRICS_PORT}"],
        env=[core.v1.EnvVarArgs(name="HOST_IP", value_from=host_ip)],
        ports=[core.v1.ContainerPortArgs(name="metrics", container_port=METRICS_PORT, host_port=METRICS_PORT)],
        # With one tunnel the site works; the other one's reason stands in `status`, the log and the metrics.
        readiness_probe=_probe("ready", failures=2),
        liveness_probe=_probe("alive", failures=6),
        resources=core.v1.ResourceRequirementsArgs(
            requests={"cpu": "100m", "memory": "64Mi"}, limits={"memory": "256Mi"}
        ),
        security_context=core.v1.SecurityContextArgs(
            run_as_user=0,  # of an image without other users; what root may do is cut below
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=core.v1.CapabilitiesArgs(drop=["ALL"], add=["NET_ADMIN", "NET_BIND_SERVICE"]),
        ),
        volume_mounts=[
            core.v1.VolumeMountArgs(name="files", mount_path=_FILES, read_only=True),
            core.v1.VolumeMountArgs(name="run", mount_path=_RUN),
            core.v1.VolumeMountArgs(name="tmp", mount_path=_TMP),
            *([core.v1.VolumeMountArgs(name="tun", mount_path=_TUN)] if args.ipsec == USERSPACE else []),
        ],
    )


def _probe(verb: str, *, failures: int) -> core.v1.ProbeArgs:
    command = ["python3", "-m", "gateway_agent", verb]
    return core.v1.ProbeArgs(
        exec_=core.v1.ExecActionArgs(command=command),
        period_seconds=_SECONDS,
        timeout_seconds=_SECONDS,
        failure_threshold=failures,
    )


def _volumes(args: GatewayPodArgs) -> list[core.v1.VolumeArgs]:
    """Keys come from the Secret only; one folder, because the files include each other by name."""
    sources = [
        core.v1.VolumeProjectionArgs(config_map=core.v1.ConfigMapProjectionArgs(name=args.config_map)),
        core.v1.VolumeProjectionArgs(secret=core.v1.SecretProjectionArgs(name=args.secret)),
    ]
    files = core.v1.ProjectedVolumeSourceArgs(sources=sources, default_mode=0o400)
    memory = core.v1.EmptyDirVolumeSourceArgs(medium="Memory", size_limit="8Mi")
    device = core.v1.HostPathVolumeSourceArgs(path=_TUN, type="CharDevice")
    return [
        core.v1.VolumeArgs(name="files", projected=files),
        core.v1.VolumeArgs(name="run", empty_dir=memory),
        core.v1.VolumeArgs(name="tmp", empty_dir=memory),
        *([core.v1.VolumeArgs(name="tun", host_path=device)] if args.ipsec == USERSPACE else []),
    ]
