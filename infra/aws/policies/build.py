"""What the machines may do on which Image Builder makes a machine image, besides what an instance may for its start."""

from infra.aws.policies.document import Document, allow, document
from infra.aws.policies.instance import take_sessions
from infra.aws.policies.scope import Scope

# How commands reach agents of Systems Manager before 3.3.40.0; later ones take them by the channel of sessions.
_COMMANDS = (
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
)
_WRITE_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


def build_machine_image(scope: Scope) -> Document:
    """Take Image Builder's commands, fetch its tools and the environment's own components, and log.

    Of what AWS's two policies for it give (EC2InstanceProfileForImageBuilder and AmazonSSMManagedInstanceCore), this is
    the part that a build without a key of its own, without inventory and without patches uses.
    """
    return document(
        allow("ReadSteps", ["imagebuilder:GetComponent"], [scope.own("imagebuilder", "component/")]),
        # Buckets of AWS, a few in each region.
        allow("FetchTools", ["s3:GetObject"], ["arn:aws:s3:::ec2imagebuilder*/*"]),
        allow("WriteBuildLogs", _WRITE_LOGS, [scope.build_logs()]),
        take_sessions(scope),
        allow("TakeCommands", _COMMANDS, ["*"], scope.here()),
    )
