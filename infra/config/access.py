"""Settings of who may take which role on AWS."""

import re
from dataclasses import dataclass

from infra.config.reader import Reader

# IAM ends a trust policy at 2048 characters (IAM quotas); these many fit whatever their length.
MAX_PRINCIPALS = 12
_WAY_OUT = "name who may, or leave the key out: this account's own policies then decide"
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:\S+")
# As the subject of GitHub's tokens spells it, with ids for repositories after 15 July 2026: shop@1/serving@2.
_REPOSITORY = re.compile(r"[A-Za-z0-9-]+(@\d+)?/[A-Za-z0-9._-]+(@\d+)?")
_BRANCH = re.compile(r"[A-Za-z0-9._/-]+")


@dataclass(frozen=True, kw_only=True)
class GithubConfig:
    """Workflows of one repository: pull requests may preview, `branch` may deploy.

    An account has at most one provider for GitHub's tokens; `create_provider` is false where it exists already.
    """

    repository: str
    branch: str
    create_provider: bool


@dataclass(frozen=True, kw_only=True)
class AccessConfig:
    """ARNs that may take each role; None means whom this account's own policies allow. `github` None: no workflows.

    An empty one means nobody by ARN: then only workflows get the role.
    """

    publishers: tuple[str, ...] | None
    collectors: tuple[str, ...] | None
    previewers: tuple[str, ...] | None
    deployers: tuple[str, ...] | None
    github: GithubConfig | None


def read_access(reader: Reader) -> AccessConfig:
    """The section `access`."""

    def principals(key: str, *, workflows: bool = False) -> tuple[str, ...] | None:
        example = f"[arn:aws:iam::111122223333:role/{key}]"
        found = reader.texts(key, default=(), example=example, check=_check_principal)
        if found and len(found) > MAX_PRINCIPALS:
            reader.refuse(key, f"{len(found)} ARNs", f"at most {MAX_PRINCIPALS} fit into a role's trust policy")
        if not reader.has(key):
            return None
        if found == () and not workflows:
            reader.refuse(key, [], f"nobody could take the role; {_WAY_OUT}")
        return found

    github = reader.section("github")
    has_workflows = reader.has("github")
    return AccessConfig(
        publishers=principals("publishers"),
        collectors=principals("collectors"),
        previewers=principals("previewers", workflows=has_workflows),
        deployers=principals("deployers", workflows=has_workflows),
        github=_github(github) if has_workflows else None,
    )


def _github(reader: Reader) -> GithubConfig:
    return GithubConfig(
        repository=reader.text("repository", example="shop/serving", check=_check_repository),
        branch=reader.text("branch", default="main", example="main", check=_check_branch),
        create_provider=reader.flag("createProvider", default=True),
    )


def _check_principal(text: str) -> None:
    if not _PRINCIPAL.fullmatch(text):
        raise ValueError("the ARN of a role, a user or an account is needed, such as arn:aws:iam::111122223333:role/ci")


def _check_repository(text: str) -> None:
    if not _REPOSITORY.fullmatch(text):
        raise ValueError("<owner>/<repository> is needed, without wildcard: every repository could deploy otherwise")


def _check_branch(text: str) -> None:
    if not _BRANCH.fullmatch(text):
        raise ValueError("the name of one branch is needed, without wildcard: every branch could deploy otherwise")
