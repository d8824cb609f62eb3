"""The tracked production example as a stack in a scratch account."""

from typing import Any

import yaml

from scripts.localcloud.aws.moto.seed import seed_zone
from scripts.localcloud.cloud import checkout_root
from scripts.localcloud.engine.project import Project
from scripts.localcloud.engine.scratch import Scratch

STACK, ZONE = "prod-aws", "shop.example"
IMAGES = {"stable": "sha256:" + "ab" * 32, "canary": "sha256:" + "cd" * 32}
NEEDED: dict[str, Any] = {
    # The example has no image yet: no fleet would be made.
    **{f"slots.{slot}.image": image for slot, image in IMAGES.items()},
    # What the provider that runs here is too old for.
    "vpn.bgpLogs": False,
}
"""What is changed in the example, beside where its calls go."""


def example_stack(account: Scratch, changes: dict[str, Any] | None = None) -> Project:
    """The stack `prod-aws`, not deployed yet, in `account`, which gets the hosted zone that the example looks up."""
    seed_zone(account.client("route53"), zone=ZONE)
    return account.own_stack(STACK, example_config(account.provider_config(), changes))


def example_config(provider: dict[str, str], changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The example's config, with the `aws:*` keys `provider`.

    `changes` maps a key, with dots into sections, to its value; a key without namespace is the project's own.
    """
    text = (checkout_root() / "stacks" / "config" / f"Pulumi.{STACK}.yaml").read_text()
    values: dict[str, Any] = yaml.safe_load(text)["config"] | provider
    for path, value in (NEEDED | (changes or {})).items():
        *sections, key = (path if ":" in path else f"hybrid-serving:{path}").split(".")
        target = values
        for section in sections:
            target = target.setdefault(section, {})
        target[key] = value
    return values
