"""The gaps of moto 5.2.5 that the local cloud meets, one function each; `apply` closes them all.

The comment in each says what moto does and what fails without the patch.
"""

import importlib.metadata

from scripts.localcloud.aws.moto import attachments, scaling, services, storage, vpn
from scripts.localcloud.console import UserError

MOTO_VERSION = "5.2.5"
PATCHES = (
    storage.ignore_bucket_policy_conditions,
    storage.keep_newer_noncurrent_versions,
    services.tag_budgets,
    scaling.keep_mixed_instances_policy,
    scaling.start_as_many_instances_as_desired,
    scaling.keep_the_instance_warmup,
    scaling.default_scaling_policies,
    attachments.tag_transit_gateway_attachments,
    attachments.remember_deleted_attachments,
    scaling.keep_template_tags_out_of_its_data,
    scaling.read_user_data_of_later_versions,
    services.know_the_gpu_image,
    services.validate_certificates_at_once,
    vpn.honour_tunnel_options,
)

_applied = False


def apply() -> None:
    """Patch the imported moto, once. Raises UserError when it is not the version these patches were written for."""
    global _applied
    version = importlib.metadata.version("moto")
    if version != MOTO_VERSION:
        raise UserError(
            f"moto {version} is installed, the local cloud's patches are for {MOTO_VERSION}: "
            "run scripts/up with the locked requirements, or check every patch against the new version"
        )
    if _applied:
        return
    for patch in PATCHES:
        patch()
    _applied = True
