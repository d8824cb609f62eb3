"""Find a terraform-provider-aws binary on this machine, in the layout of a Terraform filesystem mirror."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.console import UserError

VARIABLE = "HYBRID_SERVING_TF_PLUGINS"
LAYOUT = "registry.terraform.io/hashicorp/aws/*/linux_amd64/terraform-provider-aws_v*"
TESTED = ((5, 100, 0), (6, 0, 0))
"""Versions from the first (included) to the second (excluded); 6 renames properties and needs the SDK's own bridge."""

OFFICIAL_PLUGIN = "pulumi plugin install resource aws 7.51.1"


@dataclass(frozen=True, kw_only=True, order=True)
class Binary:
    version: tuple[int, ...]
    path: Path

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


def search_roots(environment: Mapping[str, str], opt: Path = Path("/opt")) -> list[Path]:
    """Folders that may hold the mirror layout, the user's own variable first."""
    own = [Path(part) for part in environment.get(VARIABLE, "").split(os.pathsep) if part]
    terraform = Path(environment.get("HOME") or Path.home()) / ".terraform.d"
    shared = [Path("/usr/share"), Path("/usr/local/share")]
    below = [*shared, opt]
    found = [child for folder in below if folder.is_dir() for child in sorted(folder.iterdir()) if child.is_dir()]
    return [*own, terraform / "plugins", terraform / "plugin-cache", *shared, *found]


def find_binary(roots: Iterable[Path]) -> Binary:
    """The highest tested version in the first root that has one. Raises UserError with the way out when none has."""
    searched, seen = list(roots), []
    for root in searched:
        candidates = [_binary(path) for path in root.glob(LAYOUT) if os.access(path, os.X_OK)]
        seen += [f"{c.version_text} ({c.path})" for c in candidates]
        tested = [c for c in candidates if TESTED[0] <= c.version < TESTED[1]]
        if tested:
            return max(tested)
    low, high = (".".join(map(str, version)) for version in TESTED)
    raise UserError(
        f"terraform-provider-aws: no binary of version >= {low}, < {high} found "
        f"(seen: {', '.join(seen) or 'none'}). Set {VARIABLE} to a folder that holds "
        f"{LAYOUT.replace('*', '<version>')}, or, where the internet is reachable, use the official plugin instead: "
        f"{OFFICIAL_PLUGIN}"
    )


def _binary(path: Path) -> Binary:
    match = re.search(r"_v(\d+)\.(\d+)\.(\d+)", path.name)
    return Binary(version=tuple(map(int, match.groups())) if match else (0, 0, 0), path=path)
