"""What is built from each recipe: binary → (Go package, linker flags)."""

KUBERNETES = "v1.34.4"
KUBERNETES_SDK = "4.25.0"  # version of the Python SDK whose types the provider serves; requirements.txt pins the same
PLAIN = "-s -w"

# Clients refuse a server whose version they cannot parse, and a plain build has none.
_VERSION = " ".join(
    f"-X {package}.gitVersion={KUBERNETES} -X {package}.gitMajor=1 -X {package}.gitMinor={KUBERNETES.split('.')[1]}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
)
_KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
_KEDA = "github.com/kedacore/keda/v2/cmd"

TARGETS = {
    "pulumi": {"pulumi": ("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", PLAIN)},
    "kubernetes-provider": {"pulumi-resource-kubernetes": (".", f"{PLAIN} -X main.version={KUBERNETES_SDK}")},
    "kubernetes": {
        **{program: (f"k8s.io/kubernetes/cmd/{program}", f"{PLAIN} {_VERSION}") for program in _KUBERNETES},
        "etcd": ("go.etcd.io/etcd/server/v3", PLAIN),
    },
    "coredns": {"coredns": (".", PLAIN)},
    "metrics-server": {"metrics-server": ("sigs.k8s.io/metrics-server/cmd/metrics-server", PLAIN)},
    "kube-router": {"kube-router": ("github.com/cloudnativelabs/kube-router/v2/cmd/kube-router", PLAIN)},
    "keda": {"keda-operator": (f"{_KEDA}/operator", PLAIN), "keda-adapter": (f"{_KEDA}/adapter", PLAIN)},
}
