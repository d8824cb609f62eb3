"""What every pod of ours gives up, so that it meets the restricted level of the Pod Security Standards."""

from pulumi_kubernetes import core

# The image's user.
USER = 10001


def pod_context(*, owns_volumes: bool = False) -> core.v1.PodSecurityContextArgs:
    """No pod runs as root; `owns_volumes` makes its volumes writable for its user."""
    return core.v1.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=USER,
        run_as_group=USER,
        fs_group=USER if owns_volumes else None,
        fs_group_change_policy="OnRootMismatch" if owns_volumes else None,
        seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_context() -> core.v1.SecurityContextArgs:
    """No container has a capability, can get one, or writes outside its volumes."""
    return core.v1.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
    )
