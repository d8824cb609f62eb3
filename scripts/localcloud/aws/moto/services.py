"""Parameters and certificates: what moto does not have, or has only after a wait."""

from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap

GPU_AMI_PARAMETER = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id"
GPU_AMI = "ami-0d15ea1b00d15ea1b"
"""An id of our own: nothing boots from it, the data plane runs what the launch template says."""


def know_the_gpu_image() -> None:
    # moto has no parameters of the deep learning images; the stack resolves its image from one.
    from moto.core.utils import utcnow
    from moto.ssm.models import Parameter, ParameterDict

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def _check_loading_status(self: Any, key: str) -> None:
            original(self, key)
            if key == GPU_AMI_PARAMETER and not dict.__contains__(self, key):
                make_parameter: Callable[..., Any] = Parameter
                parameter = make_parameter(
                    account_id=self.account_id,
                    name=key,
                    value=GPU_AMI,
                    parameter_type="String",
                    description=None,
                    allowed_pattern=None,
                    keyid=None,
                    last_modified_date=utcnow(),
                    version=1,
                    data_type="aws:ec2:image",
                )
                dict.__setitem__(self, key, [parameter])

        return _check_loading_status

    wrap(ParameterDict, "_check_loading_status", make)


def validate_certificates_at_once() -> None:
    # moto issues a certificate 60 s after its request; nothing here depends on that wait.
    from moto import settings

    settings.ACM_VALIDATION_WAIT = -1
