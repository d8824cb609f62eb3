"""What `pulumi up` changes at the edge and in the fleet: load balancer, firewall, certificate, auto scaling groups."""

from infra.aws.policies.document import Document, allow, document
from infra.aws.policies.scope import Scope

_BALANCER = (
    "AddTags",
    "CreateListener",
    "CreateLoadBalancer",
    "CreateTargetGroup",
    "CreateWebACLAssociation",
    "DeleteListener",
    "DeleteLoadBalancer",
    "DeleteTargetGroup",
    "DeleteWebACLAssociation",
    "ModifyListener",
    "ModifyListenerAttributes",
    "ModifyLoadBalancerAttributes",
    "ModifyTargetGroup",
    "ModifyTargetGroupAttributes",
    "RemoveTags",
    "SetIpAddressType",
    "SetSecurityGroups",
    "SetSubnets",
)
_BALANCER_KINDS = ("listener/app", "loadbalancer/app", "targetgroup")
_FIREWALL = ("AssociateWebACL", "CreateWebACL", "DeleteWebACL", "TagResource", "UntagResource", "UpdateWebACL")
_CERTIFICATE = (
    "AddTagsToCertificate",
    "DeleteCertificate",
    "RemoveTagsFromCertificate",
    "UpdateCertificateOptions",
)
_GROUP = (
    "AttachLoadBalancerTargetGroups",
    "AttachTrafficSources",
    "CancelInstanceRefresh",
    "CreateAutoScalingGroup",
    "CreateOrUpdateTags",
    "DeleteAutoScalingGroup",
    "DeleteLifecycleHook",
    "DeletePolicy",
    "DeleteScheduledAction",
    "DeleteTags",
    "DeleteWarmPool",
    "DetachLoadBalancerTargetGroups",
    "DetachTrafficSources",
    "DisableMetricsCollection",
    "EnableMetricsCollection",
    "PutLifecycleHook",
    "PutScalingPolicy",
    "PutScheduledUpdateGroupAction",
    "PutWarmPool",
    "ResumeProcesses",
    "SetInstanceProtection",
    "StartInstanceRefresh",
    "SuspendProcesses",
    "UpdateAutoScalingGroup",
)


def change_edge(scope: Scope) -> Document:
    """Load balancer, target groups, firewall, certificate: by the environment's names, or by its tags."""
    balancer = [scope.own("elasticloadbalancing", f"{kind}/") for kind in _BALANCER_KINDS]
    certificates = [scope.arn("acm", "certificate/*")]
    return document(
        allow("Balance", _of("elasticloadbalancing", _BALANCER), balancer),
        allow("Guard", _of("wafv2", _FIREWALL), [scope.firewalls()]),
        # The rules that AWS keeps are named in a firewall; taking one off asks only about the load balancer.
        allow("UseManagedRules", _of("wafv2", ("CreateWebACL", "UpdateWebACL")), [scope.managed_rules()]),
        allow("GuardEdge", _of("wafv2", ("AssociateWebACL", "DisassociateWebACL")), [scope.load_balancers()]),
        # Older spellings of the same right, which AWS offers only without a resource.
        allow("GuardEdgeToo", _of("elasticloadbalancing", ("SetWebAcl",)), ["*"], scope.here()),
        allow("AskForCertificate", _of("acm", ("RequestCertificate",)), ["*"], scope.tagging()),
        allow("ChangeCertificate", _of("acm", _CERTIFICATE), certificates, scope.tagged()),
        # Asked for with a new certificate too, which has no tags yet.
        allow("TagCertificate", _of("acm", ("AddTagsToCertificate",)), certificates, scope.adopting()),
    )


def change_fleet(scope: Scope) -> Document:
    """Auto scaling groups by name. Instances start only from the environment's launch templates, in its subnets."""
    launched = [scope.arn("ec2", f"{kind}/*") for kind in ("instance", "network-interface", "volume")]
    given = [scope.arn("ec2", f"{kind}/*") for kind in ("launch-template", "security-group", "subnet")]
    template = {"ArnLike": {"ec2:LaunchTemplate": scope.arn("ec2", "launch-template/*")}}
    return document(
        allow("Scale", _of("autoscaling", _GROUP), [scope.groups()]),
        allow("LaunchByTemplate", ["ec2:RunInstances"], [*launched, scope.machine_images()], template),
        allow("LaunchWithOwnParts", ["ec2:RunInstances"], given, scope.tagged()),
    )


def _of(service: str, names: tuple[str, ...]) -> list[str]:
    return [f"{service}:{name}" for name in names]
