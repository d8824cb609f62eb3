import pytest

from infra.images import ImageReference, parse_digest
from tests.infra.settings import DIGEST


def test_a_reference_is_written_as_repository_and_digest() -> None:
    reference = ImageReference(repository="registry.example:5000/shop/serving", digest=DIGEST)
    assert str(reference) == f"registry.example:5000/shop/serving@{DIGEST}"
    assert ImageReference.parse(str(reference)) == reference
    assert reference.registry == "registry.example:5000"


@pytest.mark.parametrize("digest", ["latest", "v1.2", "", "sha256:abc", DIGEST.upper(), DIGEST + "0", DIGEST[7:]])
def test_a_tag_or_a_broken_digest_is_refused(digest: str) -> None:
    with pytest.raises(ValueError, match="never a tag"):
        parse_digest(digest)


@pytest.mark.parametrize("text", ["registry.example/serving:latest", f"registry.example/serving:v1@{DIGEST}"])
def test_a_reference_with_a_tag_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="tag"):
        ImageReference.parse(text)
