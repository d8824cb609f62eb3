"""The stacks' settings: typed, validated, all problems named at once, before the first resource.

This package is the only reader of `pulumi.Config`; a component gets plain values and never a config.
"""

from infra.config.aws import AwsConfig
from infra.config.dns import DnsConfig
from infra.config.onprem import OnPremConfig
from infra.config.reader import ConfigError

__all__ = ["AwsConfig", "ConfigError", "DnsConfig", "OnPremConfig"]
