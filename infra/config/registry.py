"""Settings of the way to the model registry; the same section in the stacks of both sites."""

from dataclasses import dataclass

from infra.config.reader import Reader


@dataclass(frozen=True, kw_only=True)
class RegistryAccess:
    """How servers reach S3. "" means AWS's own endpoint and the public certificate authorities."""

    endpoint: str
    ca_bundle: str


def read_registry(reader: Reader) -> RegistryAccess:
    """The section `registry`."""
    return RegistryAccess(
        endpoint=reader.text("endpoint", default="", example="https://10.30.255.10", check=_check_endpoint),
        ca_bundle=reader.text("caBundle", default="", example="-----BEGIN CERTIFICATE-----...", check=_check_pem),
    )


def _check_endpoint(text: str) -> None:
    if not text.startswith("https://"):
        raise ValueError("an https URL is needed: credentials and models pass there")


def _check_pem(text: str) -> None:
    if not text.startswith("-----BEGIN CERTIFICATE-----"):
        raise ValueError("certificates in PEM form are needed, the text itself and not its path")
