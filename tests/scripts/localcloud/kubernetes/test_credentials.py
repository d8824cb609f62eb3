import csv
import ipaddress
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from scripts.localcloud.certificates import Authority, Subject
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes import credentials
from scripts.localcloud.kubernetes.control_plane import api_server
from scripts.localcloud.kubernetes.places import Places

CLOUD = LocalCloud(3, Path("/checkout"))


@pytest.fixture
def issued(tmp_path: Path) -> x509.Certificate:
    Authority("test").issue(credentials.api_server(CLOUD), tmp_path, "apiserver")
    return x509.load_pem_x509_certificate((tmp_path / "apiserver.crt").read_bytes())


def test_the_api_server_is_trusted_by_every_name_it_is_called_by(issued: x509.Certificate):
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = set(names.get_values_for_type(x509.IPAddress))
    assert {ipaddress.ip_address(a) for a in ("100.64.3.2", "10.10.0.10", "10.43.0.1")} <= addresses
    assert {"kubernetes.default", "kubernetes.default.svc"} <= set(names.get_values_for_type(x509.DNSName))


def test_the_api_server_of_another_local_cloud_is_not_trusted(issued: x509.Certificate):
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ipaddress.ip_address("100.64.4.2") not in names.get_values_for_type(x509.IPAddress)


def test_a_certificate_is_signed_by_its_authority_and_by_no_other(tmp_path: Path):
    one, other = Authority("one"), Authority("other")
    one.issue(Subject(name="a"), tmp_path, "a")
    certificate = x509.load_pem_x509_certificate((tmp_path / "a.crt").read_bytes())
    certificate.verify_directly_issued_by(one.certificate)
    with pytest.raises(ValueError, match="Issuer"):
        certificate.verify_directly_issued_by(other.certificate)


def test_a_private_key_is_readable_by_root_only_and_fits_its_certificate(tmp_path: Path):
    Authority("test").issue(Subject(name="a"), tmp_path, "a")
    path = tmp_path / "a.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((tmp_path / "a.crt").read_bytes())
    assert key.public_key() == certificate.public_key()


def test_who_speaks_for_others_is_signed_by_an_authority_that_signs_for_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(LocalCloud, "run", tmp_path)
    credentials.make(CLOUD)
    folder = Places(CLOUD).control
    proxy, kubelet, front, cluster = (
        x509.load_pem_x509_certificate((folder / name).read_bytes())
        for name in ("front-proxy-client.crt", "kubelet-client.crt", "front-proxy-ca.crt", "ca.crt")
    )
    proxy.verify_directly_issued_by(front)
    for signed, authority in ((proxy, cluster), (kubelet, front)):
        with pytest.raises(ValueError, match="Issuer"):
            signed.verify_directly_issued_by(authority)
    assert f"--requestheader-allowed-names={proxy.subject.rfc4514_string().removeprefix('CN=')}" in api_server(CLOUD)


def test_only_the_administrator_is_in_the_masters_group():
    rows = list(csv.reader(credentials.token_file(dict.fromkeys(credentials.USERS, "t")).splitlines()))
    assert [row[1] for row in rows if row[3] == "system:masters"] == [credentials.ADMIN]
    assert {len(row) for row in rows} == {4}


def test_a_kubeconfig_names_the_context_of_its_local_cloud_and_carries_the_certificate():
    text = credentials.kubeconfig(ca=b"PEM", server="https://a:6443", context=CLOUD.kube_context, user="u", token="t")
    config = yaml.safe_load(text)
    assert config["current-context"] == "hybrid-serving-local-3"
    assert config["contexts"][0]["context"]["user"] == config["users"][0]["name"]
    assert config["clusters"][0]["cluster"]["certificate-authority-data"] == "UEVN"
