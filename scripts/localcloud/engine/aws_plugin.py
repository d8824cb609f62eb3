"""Which AWS provider the engine gets: our bridge to a Terraform provider binary, or the official plugin."""

import os
import re
from pathlib import Path

from scripts.localcloud.aws.bridge.binary import find_binary, search_roots
from scripts.localcloud.cloud import checkout_root
from scripts.localcloud.console import UserError


def official(home: Path | None = None) -> Path | None:
    """None when a Terraform provider binary is here, which the bridge drives; else the official plugin's binary.

    Raises UserError with the command that gets the plugin when there is neither. The official plugin could not be
    tried with the local AWS: it is not in any package registry.
    """
    try:
        find_binary(search_roots(os.environ))
        return None
    except UserError as missing:
        version = _sdk_version()
        plugins = (home or Path.home()) / ".pulumi" / "plugins"
        plugin = plugins / f"resource-aws-v{version}" / "pulumi-resource-aws"
        if os.access(plugin, os.X_OK):
            return plugin
        raise UserError(f"{missing}\n(it belongs at {plugin})") from None


def _sdk_version() -> str:
    pins = (checkout_root() / "requirements.txt").read_text()
    match = re.search(r"^pulumi-aws==(\S+)", pins, re.MULTILINE)
    assert match, "requirements.txt pins pulumi-aws"
    return match[1]
