"""What belongs to one environment, as the ARN patterns and conditions that policies limit themselves to."""

from dataclasses import dataclass

from infra.aws.policies.document import Condition
from infra.names import PROJECT, Names

# Where AWS answers for services without a region (IAM, Route 53, Budgets), and where Route 53 puts its metrics.
GLOBAL_REGION = "us-east-1"

# Image Builder user guide, "Use AWS managed policies for EC2 Image Builder".
BUILD_LOGS = "/aws/imagebuilder/"

_PUBLIC_PARAMETERS = "/aws/service/"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One environment in one account and region. An environment's name has no hyphen, so `<env>-*` is only its own."""

    names: Names
    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def own(self, service: str, kind: str = "") -> str:
        """Whatever this environment named itself, such as `own("sns")` or `own("cloudwatch", "alarm:")`."""
        return self.arn(service, f"{kind}{self.names.environment}-*")

    def buckets(self) -> list[str]:
        """The environment's own two, by their whole names: somebody else's may well start with `prod-`."""
        names = (f"{self.names.component('models')}-bucket", f"{self.names.component('logs')}-access-bucket")
        return [f"arn:aws:s3:::{name}-*" for name in names]

    def groups(self) -> str:
        """The environment's auto scaling groups."""
        return self.own("autoscaling", "autoScalingGroup:*:autoScalingGroupName/")

    def repositories(self) -> str:
        """Image repositories have a path of their own, which is the environment's."""
        return self.arn("ecr", f"repository{self.names.iam_path()}*")

    def machine_images(self) -> str:
        return f"arn:aws:ec2:{self.region}::image/*"

    def log_groups(self) -> str:
        return self.own("logs", "log-group:")

    def build_logs(self) -> str:
        """Log groups of machine images' builds: Image Builder's own role writes below its prefix only."""
        return self.arn("logs", f"log-group:{BUILD_LOGS}{self.names.environment}-*")

    def alarms(self) -> list[str]:
        """Alarms in the region, those of target tracking included, and those of Route 53's metrics."""
        names = (f"{self.names.environment}-*", f"TargetTracking-{self.names.environment}-*")
        here = [self.arn("cloudwatch", f"alarm:{name}") for name in names]
        return [*here, f"arn:aws:cloudwatch:{GLOBAL_REGION}:{self.account}:alarm:{names[0]}"]

    def dashboards(self) -> str:
        return f"arn:aws:cloudwatch::{self.account}:dashboard/{self.names.environment}-*"

    def topics(self) -> list[str]:
        """Topics in the region, and for the alarms of Route 53's metrics."""
        return [self.own("sns"), f"arn:aws:sns:{GLOBAL_REGION}:{self.account}:{self.names.environment}-*"]

    def budgets(self) -> str:
        return f"arn:aws:budgets::{self.account}:budget/{self.names.environment}-*"

    def firewalls(self) -> str:
        return self.own("wafv2", "regional/webacl/")

    def managed_rules(self) -> str:
        """The rule groups that AWS keeps for everyone's firewalls."""
        return self.arn("wafv2", "regional/managedruleset/*/*")

    def load_balancers(self) -> str:
        return self.own("elasticloadbalancing", "loadbalancer/app/")

    def parameter(self, name: str) -> str:
        """The ARN of a parameter of Systems Manager.

        Amazon's own hold no secret and any account reads them: all of them, so that a preview can name another image.
        """
        if name.startswith(_PUBLIC_PARAMETERS):
            return f"arn:aws:ssm:{self.region}::parameter{_PUBLIC_PARAMETERS}*"
        return self.arn("ssm", f"parameter/{name.removeprefix('/')}")

    def iam(self, kind: str, name: str = "*") -> str:
        """Roles, policies and instance profiles (`kind`) under the environment's path."""
        return f"arn:aws:iam::{self.account}:{kind}{self.names.iam_path()}{name}"

    def role(self, part: str) -> str:
        """One role of the component `identity`, whose name ends in a random suffix."""
        return self.iam("role", f"{self.names.component('identity')}-{part}-*")

    def oidc_provider(self, issuer: str) -> str:
        return f"arn:aws:iam::{self.account}:oidc-provider/{issuer.removeprefix('https://')}"

    def tagged(self) -> Condition:
        """The resource bears the environment's tags."""
        return {"StringEquals": self._tags("aws:ResourceTag")}

    def tagging(self) -> Condition:
        """The request gives what it makes the environment's tags."""
        return {"StringEquals": self._tags("aws:RequestTag")}

    def adopting(self) -> Condition:
        """The request gives the environment's tags to something that does not bear another environment's."""
        return {**self.tagging(), "StringEqualsIfExists": self._tags("aws:ResourceTag")}

    def here(self) -> Condition:
        """The request is one to this region, or to a service that has none."""
        return {"StringEquals": {"aws:RequestedRegion": sorted({self.region, GLOBAL_REGION})}}

    def _tags(self, key: str) -> dict[str, str]:
        return {f"{key}/Environment": self.names.environment, f"{key}/Project": PROJECT}
