"""Images are known by digest only: a tag can be moved, so it never says what runs. Pure functions."""

import re
from dataclasses import dataclass

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REPOSITORY = re.compile(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+")
_EXAMPLE = "sha256:" + "0123456789abcdef" * 4


def parse_digest(text: str) -> str:
    """`sha256:` and 64 hexadecimal digits; ValueError otherwise, also for a tag."""
    if not _DIGEST.fullmatch(text):
        raise ValueError(f"an image digest such as {_EXAMPLE} is needed, never a tag (the push prints the digest)")
    return text


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """`<repository>@sha256:...`, the one form in which the sites name an image."""

    repository: str
    digest: str

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository):
            raise ValueError(
                f"{self.repository!r}: a repository without tag is needed, such as registry.example/serving"
            )
        parse_digest(self.digest)

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"

    @property
    def registry(self) -> str:
        """The host that one logs in to."""
        return self.repository.partition("/")[0]

    @classmethod
    def parse(cls, text: str) -> "ImageReference":
        """Read `<repository>@sha256:...`; ValueError otherwise."""
        repository, _, digest = text.partition("@")
        return cls(repository=repository, digest=digest)
