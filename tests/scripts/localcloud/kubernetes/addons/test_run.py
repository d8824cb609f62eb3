from pathlib import Path

import pytest
from cryptography import x509

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes.addons import dns, keda, run


def deployment(**status: int) -> dict[str, object]:
    return {"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}


def test_a_deployment_works_when_all_pods_of_its_last_change_do():
    assert run.available(deployment(observedGeneration=2, updatedReplicas=1, availableReplicas=1))


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1},
        {"observedGeneration": 2, "availableReplicas": 1},
        {"observedGeneration": 2, "updatedReplicas": 1},
        {"observedGeneration": 2, "updatedReplicas": 1, "availableReplicas": 2},
    ],
    ids=["nothing seen", "change not seen", "old pod only", "new pod not up", "old pod beside the new one"],
)
def test_it_does_not_before(status: dict[str, int]):
    assert not run.available(deployment(**status))


def test_an_api_works_when_kubernetes_says_so_and_not_before():
    def api(status: str) -> dict[str, object]:
        return {"status": {"conditions": [{"type": "Available", "status": status}]}}

    assert run.answered(api("True"))
    assert not run.answered(api("False"))
    assert not run.answered({})


def test_keys_are_made_once_and_only_for_an_add_on_that_serves_behind_the_api_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(LocalCloud, "run", tmp_path)
    cloud = LocalCloud(3, Path("/checkout"))
    keys = run.keys(cloud, keda.ADDON)
    assert run.keys(cloud, keda.ADDON) == keys
    assert run.keys(cloud, dns.ADDON).key == b""
    certificate = x509.load_pem_x509_certificate(keys.certificate)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(keys.authority))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert tuple(names.get_values_for_type(x509.DNSName)) == keda.ADDON.hosts


def test_keys_that_were_half_made_when_the_maker_died_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(LocalCloud, "run", tmp_path)
    cloud = LocalCloud(3, Path("/checkout"))
    before = run.keys(cloud, keda.ADDON)
    (tmp_path / "kubernetes" / "addons" / "keda" / "tls.key").unlink()
    after = run.keys(cloud, keda.ADDON)
    assert after.key not in (b"", before.key)
    x509.load_pem_x509_certificate(after.certificate).verify_directly_issued_by(
        x509.load_pem_x509_certificate(after.authority)
    )
