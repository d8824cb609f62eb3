"""Settings of the way to the model registry and to AWS itself; the same section in the stacks of both sites."""

from dataclasses import dataclass

from infra.config.reader import Reader


@dataclass(frozen=True, kw_only=True)
class RegistryAccess:
    """How servers, and what runs beside them, reach AWS. "" means its own addresses and the public authorities.

    `endpoint` is for every call, to whatever service: an address of S3 alone would break all others. On-prem servers
    find S3 inside the VPC without it.
    """

    endpoint: str
    ca_bundle: str


def read_registry(reader: Reader) -> RegistryAccess:
    """The section `registry`."""
    return RegistryAccess(
        endpoint=reader.text("awsEndpoint", default="", example="https://10.30.255.10", check=_check_endpoint),
        ca_bundle=reader.text("caBundle", default="", example="-----BEGIN CERTIFICATE-----...", check=_check_pem),
    )


def _check_endpoint(text: str) -> None:
    if not text.startswith("https://"):
        raise ValueError("an https URL is needed: credentials and models pass there")


def _check_pem(text: str) -> None:
    if not text.startswith("-----BEGIN CERTIFICATE-----"):
        raise ValueError("certificates in PEM form are needed, the text itself and not its path")
