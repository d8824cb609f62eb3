"""The gaps of moto 5.2.5 that the local cloud meets, one function each; `apply` closes them all.

The comment in each says what moto does and what fails without the patch.
"""

import importlib.metadata

from scripts.localcloud.aws.moto import (
    attachments,
    budgets,
    groups,
    interfaces,
    lifecycle,
    network,
    scaling,
    services,
    storage,
    vpn,
)
from scripts.localcloud.console import UserError

MOTO_VERSION = "5.2.5"
PATCHES = (
    storage.ignore_bucket_policy_conditions,
    storage.keep_newer_noncurrent_versions,
    storage.read_log_permissions_as_s3_does,
    budgets.tag_budgets,
    budgets.name_subscribers_of_budgets,
    budgets.change_budgets,
    scaling.keep_mixed_instances_policy,
    scaling.start_as_many_instances_as_desired,
    groups.keep_settings_of_groups,
    groups.show_hooks_as_they_were_put,
    groups.change_group_metrics,
    groups.accept_instance_refreshes,
    scaling.default_scaling_policies,
    lifecycle.keep_hooks_that_come_with_a_group,
    lifecycle.wait_for_termination_hooks,
    lifecycle.complete_lifecycle_actions,
    interfaces.end_interfaces_with_their_owner,
    attachments.tag_transit_gateway_attachments,
    attachments.remember_deleted_attachments,
    scaling.keep_template_tags_out_of_its_data,
    scaling.show_template_tags_of_today,
    scaling.read_user_data_of_later_versions,
    services.know_the_gpu_image,
    services.validate_certificates_at_once,
    network.name_endpoints_as_aws_does,
    vpn.honour_tunnel_options,
    vpn.modify_tunnel_options,
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
