"""Settings of the serving image: which one, from where, and who refreshes the permission to pull it."""

from dataclasses import dataclass

from infra.config.kubernetes import check_label
from infra.config.reader import Reader
from infra.images import ImageReference, parse_digest

CREDENTIALS = ("none", "ecr")


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """`digest` is the image, that of AWS's stable slot unless it `may_differ`. `mirror` is the company's own repository
    of it, "" means ECR itself.

    `refresh_credentials`: a job of the stack renews ECR's 12-hour tokens. `pull_secret` is the Secret with which pods
    pull from a mirror that wants one, in each of their namespaces. Without either nodes may pull by themselves.
    """

    digest: str
    may_differ: bool
    mirror: str
    refresh_credentials: bool
    pull_secret: str


def read_image(reader: Reader) -> ImageConfig:
    """The section `image`."""
    config = ImageConfig(
        digest=reader.text("digest", example="sha256:...", check=parse_digest),
        may_differ=reader.flag("mayDiffer", default=False),
        mirror=reader.text("mirror", default="", example="registry.shop.example/serving", check=_check_mirror),
        refresh_credentials=reader.choice("credentials", CREDENTIALS, default="none") == "ecr",
        pull_secret=reader.text("pullSecret", default="", example="registry-shop", check=check_label),
    )
    if config.mirror and config.refresh_credentials:
        rule = f"only pulls from ECR need its tokens, and image.mirror is {config.mirror}; remove one of the two"
        reader.refuse("credentials", "ecr", rule)
    if config.pull_secret and config.refresh_credentials:
        rule = "with credentials: ecr the Secret is ecr-credentials; remove one of the two"
        reader.refuse("pullSecret", config.pull_secret, rule)
    return config


def _check_mirror(text: str) -> None:
    ImageReference(repository=text, digest="sha256:" + "0" * 64)
