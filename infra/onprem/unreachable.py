"""A cluster that does not answer: one error that names the setting, instead of one per object that names none."""

from pulumi import ErrorHookArgs, ResourceOptions, ResourceTransformationArgs, ResourceTransformationResult
from pulumi.runtime import register_stack_transformation

from infra.onprem.failure import explained, unreachable


def explain_unreachable(context: str) -> None:
    """Have every Kubernetes object of the running stack tell, and only the first one, that `context` is unreachable."""
    told = False

    def tell(args: ErrorHookArgs) -> str | None:
        nonlocal told
        if told or not unreachable(args):
            return None
        told = True
        return explanation(context)

    hooks = explained("unreachable", tell)

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if not args.type_.startswith("kubernetes:"):
            return None
        opts = ResourceOptions.merge(args.opts, ResourceOptions(hooks=hooks))
        return ResourceTransformationResult(props=args.props, opts=opts)

    if hooks:
        register_stack_transformation(transform)


def explanation(context: str) -> str:
    """The setting and the ways out."""
    return (
        f"the API server of kubernetes:context {context!r} does not answer; what runs in the cluster goes on.\n"
        f"  - `kubectl --context {context} get nodes` fails as well: the cluster, the way to it or the credentials in "
        "kubernetes:kubeconfig (left out: $KUBECONFIG or ~/.kube/config) need mending\n"
        "  - it answers: run `pulumi up` again; it goes on where this one ended"
    )
