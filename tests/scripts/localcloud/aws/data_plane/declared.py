"""What the stacks would declare in AWS, made by API calls: a fleet behind a load balancer, and the weighted name."""

import base64
from typing import Any

import boto3

from scripts.localcloud import topology


def image(number: int) -> str:
    return f"repository.test/serving@sha256:{number:064x}"


def user_data(number: int) -> str:
    return f"#cloud-config\nwrite_files:\n- {{path: /etc/serving/image, content: '{image(number)}'}}\n"


class Declared:
    """One fleet of one instance in target group ``stable``, behind load balancer ``alb``, and both sites' records."""

    def __init__(self, url: str) -> None:
        self._session = boto3.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=topology.REGION
        )
        self._url = url
        self.ec2, self.elb, self.asg, self.dns = (
            self.client(name) for name in ("ec2", "elbv2", "autoscaling", "route53")
        )
        self._role()
        self.vpc = self.ec2.create_vpc(CidrBlock=topology.VPC_CIDR)["Vpc"]["VpcId"]
        self.subnets = [self._subnet(number, zone) for number, zone in enumerate("ab", 1)]
        self.group = self.target_group("stable")
        self.balancer = self.elb.create_load_balancer(Name="alb", Subnets=self.subnets)["LoadBalancers"][0]
        self.listener = self._listener()
        self.template = self.launch_template(1)
        self._fleet()
        self.zone = self.dns.create_hosted_zone(Name=topology.ZONE, CallerReference="zone")["HostedZone"]["Id"]
        self.check = self._health_check()
        self.weigh(onprem=70, aws=30)

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._url)

    def launch_template(self, number: int) -> str:
        data = {
            "ImageId": "ami-12345678",
            "InstanceType": "g5.xlarge",
            "UserData": base64.b64encode(user_data(number).encode()).decode(),
            "IamInstanceProfile": {"Name": "profile"},
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        }
        made = self.ec2.create_launch_template(LaunchTemplateName=f"template-{number}", LaunchTemplateData=data)
        template: str = made["LaunchTemplate"]["LaunchTemplateId"]
        return template

    def target_group(self, name: str) -> str:
        check = {"HealthCheckPath": "/readyz", "HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2}
        arn: str = self.elb.create_target_group(
            Name=name, Protocol="HTTP", Port=8080, VpcId=self.vpc, HealthyThresholdCount=2, **check
        )["TargetGroups"][0]["TargetGroupArn"]
        return arn

    def mix(self, template: str) -> dict[str, Any]:
        named = {"LaunchTemplateId": template, "Version": "1"}
        overrides = [{"InstanceType": "g5.xlarge"}]
        return {"LaunchTemplate": {"LaunchTemplateSpecification": named, "Overrides": overrides}}

    def weigh(self, *, onprem: int, aws: int) -> None:
        same = {"Name": topology.SERVICE_NAME, "Type": "A"}
        balancer = {"DNSName": self.balancer["DNSName"], "HostedZoneId": self.balancer["CanonicalHostedZoneId"]}
        values = {"TTL": 60, "ResourceRecords": [{"Value": topology.SITE_INGRESS}], "HealthCheckId": self.check}
        records = [
            {**same, "SetIdentifier": "onprem", "Weight": onprem, **values},
            {**same, "SetIdentifier": "aws", "Weight": aws, "AliasTarget": {**balancer, "EvaluateTargetHealth": True}},
        ]
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]
        self.dns.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": changes})

    def instance(self) -> tuple[str, str]:
        """Id and private address of the fleet's first instance."""
        group = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=["fleet"])["AutoScalingGroups"][0]
        name = group["Instances"][0]["InstanceId"]
        found = self.ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]
        return name, found["PrivateIpAddress"]

    def _role(self) -> None:
        iam = self.client("iam")
        iam.create_role(RoleName="serving", AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName="profile")
        iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="serving")

    def _subnet(self, number: int, zone: str) -> str:
        made = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=f"10.30.{number}.0/24", AvailabilityZone=f"{topology.REGION}{zone}"
        )
        subnet: str = made["Subnet"]["SubnetId"]
        return subnet

    def _listener(self) -> str:
        forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": self.group, "Weight": 1}]}}
        certificate = self.client("acm").request_certificate(DomainName=topology.SERVICE_NAME)["CertificateArn"]
        arn: str = self.elb.create_listener(
            LoadBalancerArn=self.balancer["LoadBalancerArn"],
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[forward],
        )["Listeners"][0]["ListenerArn"]
        return arn

    def _fleet(self) -> None:
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName="fleet",
            MinSize=0,
            MaxSize=2,
            DesiredCapacity=1,
            VPCZoneIdentifier=",".join(self.subnets),
            TargetGroupARNs=[self.group],
            MixedInstancesPolicy=self.mix(self.template),
        )

    def _health_check(self) -> str:
        config = {
            "Type": "HTTPS",
            "IPAddress": topology.SITE_INGRESS,
            "Port": 443,
            "FullyQualifiedDomainName": topology.SERVICE_NAME,
            "ResourcePath": "/readyz",
            "RequestInterval": 10,
            "FailureThreshold": 1,
            "EnableSNI": True,
        }
        made = self.dns.create_health_check(CallerReference="check", HealthCheckConfig=config)
        check: str = made["HealthCheck"]["Id"]
        return check
