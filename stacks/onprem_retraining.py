"""Training in the stack `<env>-onprem`, where the site does it."""

from pulumi import Input

from infra.onprem.namespace import Namespace, NamespaceArgs
from infra.onprem.network_policy import NetworkPolicies, NetworkPoliciesArgs
from infra.onprem.retraining import PART, Retraining, RetrainingArgs
from infra.onprem.retraining_flows import retraining_flows
from stacks.onprem_site import Site


def start_retraining(site: Site) -> tuple[Input[str], ...]:
    """Declare the runs; returns the namespaces in which their pods are."""
    config, names = site.config, site.names
    if config.retraining is None:
        return ()
    space = Namespace(names.component("retraining-space"), NamespaceArgs(names=names, namespace=PART))
    retraining = Retraining(
        names.component(PART),
        RetrainingArgs(
            names=names,
            namespace=space.name,
            image=site.image,
            config=config.retraining,
            priority_class=site.priorities.training,
            bucket=site.aws.registry_bucket,
            aws=site.access(site.aws.publisher_role_arn),
            pull_secrets=site.pull_secrets,
        ),
    )
    NetworkPolicies(
        names.component("retraining-network"),
        NetworkPoliciesArgs(
            names=names,
            namespace=space.name,
            part=PART,
            flows=retraining_flows(config.network_policy, space.name, retraining.selector),
        ),
    )
    return (space.name,)
