"""The service name's certificate, proved by a record in the existing zone."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    names: Names
    zone: str
    domain: str


class Certificate(pulumi.ComponentResource):
    """An ACM certificate. `arn` is known only when the certificate is valid, so that no listener comes too early."""

    arn: Output[str]

    def __init__(self, name: str, args: CertificateArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Certificate", name, None, opts)
        child = ResourceOptions(parent=self)
        zone = aws.route53.get_zone_output(
            name=args.zone, private_zone=False, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        certificate = aws.acm.Certificate(
            f"{name}-certificate",
            domain_name=args.domain,
            validation_method="DNS",
            tags=args.names.tags(f"{name}-certificate"),
            opts=child,
        )
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{name}-proof",
            zone_id=zone.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=300,
            opts=child,
        )
        validation = aws.acm.CertificateValidation(
            f"{name}-validation",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=child,
        )
        self.arn = validation.certificate_arn
        self.register_outputs({"arn": self.arn})
