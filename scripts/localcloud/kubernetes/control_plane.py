"""etcd, API server, controller manager and scheduler, in the site's network namespace."""

import ssl
import urllib.request

from scripts.localcloud import tools, topology
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes import mount_namespace
from scripts.localcloud.kubernetes.credentials import FRONT_PROXY, kubeconfig_path
from scripts.localcloud.kubernetes.places import Places
from scripts.localcloud.processes import wait_until

ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER = "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"


def start_api(cloud: LocalCloud) -> None:
    """Start etcd and the API server together; the server waits for etcd by itself."""
    _start(cloud, ETCD, etcd(Places(cloud)))
    _start(cloud, API_SERVER, api_server(cloud))


def start_controllers(cloud: LocalCloud) -> None:
    """Start what needs a ready API server: the controller manager gives up after 10 s without one."""
    _start(cloud, CONTROLLER_MANAGER, controller_manager(cloud))
    _start(cloud, SCHEDULER, scheduler(cloud))


def wait_ready(cloud: LocalCloud) -> None:
    wait_until(
        lambda: ready(cloud),
        what=f"Kubernetes API server at {_server(cloud)}",
        timeout=180,
        log=cloud.processes.log(API_SERVER),
    )


def ready(cloud: LocalCloud) -> bool:
    """Does the API server say that it is ready to serve? False when it cannot be reached."""
    try:
        trust = ssl.create_default_context(cafile=str(Places(cloud).control / "ca.crt"))
        with urllib.request.urlopen(f"{_server(cloud)}/readyz", timeout=2, context=trust) as answer:
            return bool(answer.status == 200)
    except OSError:  # urllib's errors, refused connections and a certificate that is not there yet
        return False


def etcd(places: Places) -> list[str]:
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    return _flags(
        {
            "data-dir": places.control / "etcd",
            "name": "default",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "log-level": "warn",
            "unsafe-no-fsync": True,  # the cluster is thrown away after a crash, so nothing needs to survive one
        }
    )


def api_server(cloud: LocalCloud) -> list[str]:
    folder = Places(cloud).control
    return _flags(
        {
            "advertise-address": topology.NODE,
            "secure-port": 6443,
            "etcd-servers": "http://127.0.0.1:2379",
            "service-cluster-ip-range": topology.SERVICE_CIDR,
            "allow-privileged": True,
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            "token-auth-file": folder / "tokens.csv",
            "client-ca-file": folder / "ca.crt",
            "tls-cert-file": folder / "apiserver.crt",
            "tls-private-key-file": folder / "apiserver.key",
            "kubelet-certificate-authority": folder / "ca.crt",
            "kubelet-client-certificate": folder / "kubelet-client.crt",
            "kubelet-client-key": folder / "kubelet-client.key",
            "kubelet-preferred-address-types": "InternalIP",
            "service-account-issuer": topology.OIDC_ISSUER,
            "service-account-key-file": folder / "service-account.key",
            "service-account-signing-key-file": folder / "service-account.key",
            # How servers behind this one (APIService) learn who the caller is.
            "proxy-client-cert-file": folder / f"{FRONT_PROXY}.crt",
            "proxy-client-key-file": folder / f"{FRONT_PROXY}.key",
            "requestheader-client-ca-file": folder / "front-proxy-ca.crt",
            "requestheader-allowed-names": FRONT_PROXY,
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        }
    )


def controller_manager(cloud: LocalCloud) -> list[str]:
    folder, kubeconfig = Places(cloud).control, kubeconfig_path(cloud, "system:kube-controller-manager")
    return _flags(
        {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": "127.0.0.1",
            "leader-elect": False,
            "use-service-account-credentials": True,
            "service-account-private-key-file": folder / "service-account.key",
            "root-ca-file": folder / "ca.crt",
            "flex-volume-plugin-dir": folder / "volume-plugins",  # it makes this folder; the default is the machine's
        }
    )


def scheduler(cloud: LocalCloud) -> list[str]:
    kubeconfig = kubeconfig_path(cloud, "system:kube-scheduler")
    return _flags(
        {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": "127.0.0.1",
            "leader-elect": False,
        }
    )


def _server(cloud: LocalCloud) -> str:
    return f"https://{topology.management(cloud.number)['onprem']}:6443"


def _start(cloud: LocalCloud, name: str, flags: list[str]) -> None:
    # In the node's mount namespace, so that ``remove`` finds a process whose starter died before it was recorded.
    argv = [*mount_namespace.enter(cloud), str(tools.go_tool("kubernetes") / name), *flags]
    cloud.processes.start(name, argv, namespace=cloud.namespace("onprem"))


def _flags(values: dict[str, object]) -> list[str]:
    return [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items()]
