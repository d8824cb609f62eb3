"""Promises of the local certificate authority."""

import ssl
from pathlib import Path

from scripts.localcloud import tls


def test_both_certificates_verify_against_the_authority_and_fit_their_keys(tmp_path: Path) -> None:
    tls.ensure(tmp_path)
    for name in ("service", "endpoint"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        context.load_cert_chain(tmp_path / f"{name}-haproxy.pem")


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    tls.ensure(tmp_path)
    for key in [*tmp_path.glob("*.key"), *tmp_path.glob("*-haproxy.pem")]:
        assert key.stat().st_mode & 0o777 == 0o600, key.name


def test_a_second_call_keeps_the_authority(tmp_path: Path) -> None:
    tls.ensure(tmp_path)
    before = (tmp_path / "ca.pem").read_bytes()
    tls.ensure(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == before


def test_half_made_files_are_made_anew(tmp_path: Path) -> None:
    tls.ensure(tmp_path)
    (tmp_path / "whole").unlink()
    (tmp_path / "service.key").write_text("cut off")
    tls.ensure(tmp_path)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "service.crt", tmp_path / "service.key")
