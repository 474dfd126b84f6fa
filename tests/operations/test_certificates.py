"""SIGHUP takes a new certificate, for new connections; a bad one changes nothing."""

import http.client
import signal
import socket
import ssl
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from tests.programs import Program, finished, serving


def _place(folder: Path, certificate: trustme.LeafCert) -> int:
    (folder / "chain.pem").write_bytes(certificate.cert_chain_pems[0].bytes())
    (folder / "key.pem").write_bytes(certificate.private_key_pem.bytes())
    (folder / "key.pem").chmod(0o600)
    return x509.load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes()).serial_number


def _connect(server: Program, trusting: ssl.SSLContext) -> http.client.HTTPSConnection:
    connection = http.client.HTTPSConnection(server.host, server.port, timeout=30, context=trusting)
    connection.connect()
    return connection


def _serial(connection: http.client.HTTPSConnection) -> int:
    shown = connection.sock.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown).serial_number


def _answers(connection: http.client.HTTPSConnection) -> bool:
    connection.request("GET", "/-/health/ready")
    response = connection.getresponse()
    return response.read() == b"ready\n" and response.status == 200


def test_a_new_certificate_and_a_bad_one(folder: Path, authority: trustme.CA) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    first = _place(folder, authority.issue_cert("127.0.0.1"))
    files = ("--tls-certificate", "chain.pem", "--tls-key", "key.pem")
    with serving(*files, folder=folder, tls=trusting) as server:
        old = _connect(server, trusting)
        assert _serial(old) == first
        assert _answers(old)

        second = _place(folder, authority.issue_cert("127.0.0.1"))
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("the certificate was read again")
        new = _connect(server, trusting)
        assert _serial(new) == second != first
        assert _answers(new)
        assert _answers(old), "the connection goes on"

        # A certificate with the key of another: the pair in use must stay whole.
        _place(folder, authority.issue_cert("127.0.0.1"))
        (folder / "key.pem").write_bytes(authority.issue_cert("other").private_key_pem.bytes())
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("the certificate stays as it was: .*KEY_VALUES_MISMATCH")
        third = _connect(server, trusting)
        assert _serial(third) == second
        assert _answers(third)
        for connection in (old, new, third):
            connection.close()
    assert "Traceback" not in server.said


def test_a_handshake_must_be_complete_in_time(folder: Path, authority: trustme.CA) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    _place(folder, authority.issue_cert("127.0.0.1"))
    files = ("--tls-certificate", "chain.pem", "--tls-key", "key.pem")
    with (
        serving(*files, folder=folder, tls=trusting, SERVICES88_HEADER_SECONDS="1") as server,
        socket.create_connection((server.host, server.port), timeout=20) as silent,
    ):
        connection = _connect(server, trusting)
        assert _answers(connection)
        connection.close()
        with suppress(ConnectionResetError):
            assert silent.recv(1) == b"", "the server hangs up"


def test_tls_before_1_2_is_refused(folder: Path, authority: trustme.CA) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    _place(folder, authority.issue_cert("127.0.0.1"))
    files = ("--tls-certificate", "chain.pem", "--tls-key", "key.pem")
    outdated = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(outdated)
    outdated.set_ciphers(
        "ALL:@SECLEVEL=0"
    )  # or the client would not even ask; the server hangs up on it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        outdated.minimum_version = ssl.TLSVersion.TLSv1_1
        outdated.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        serving(*files, folder=folder, tls=trusting) as server,
        pytest.raises(ssl.SSLError, match=r"EOF|alert protocol version"),
    ):
        _connect(server, outdated)


@pytest.mark.parametrize("offered", ["kRSA", "DHE+AES:!DHE+AESGCM", "ECDHE+SHA1", "eNULL", "aNULL"])
def test_weak_ciphers_are_refused(folder: Path, authority: trustme.CA, offered: str) -> None:
    """ASVS 12.1.1, 12.1.2, 11.2.3: the client would take nothing better."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    _place(folder, authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.RSA))
    files = ("--tls-certificate", "chain.pem", "--tls-key", "key.pem")
    weak = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(weak)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers(f"{offered}:@SECLEVEL=0")
    with serving(*files, folder=folder, tls=trusting) as server:
        best = _connect(server, trusting)
        assert best.sock.version() == "TLSv1.3"
        best.close()
        with pytest.raises(ssl.SSLError, match=r"EOF|alert handshake failure"):
            _connect(server, weak).close()
        weak.set_ciphers("ECDHE+AESGCM:@SECLEVEL=0")
        _connect(server, weak).close()


def test_a_key_that_everybody_can_read_is_refused(folder: Path, authority: trustme.CA) -> None:
    """ASVS 13.3.2."""
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    first = _place(folder, authority.issue_cert("127.0.0.1"))
    files = ("--tls-certificate", "chain.pem", "--tls-key", "key.pem")
    with serving(*files, folder=folder, tls=trusting) as server:
        _place(folder, authority.issue_cert("127.0.0.1"))
        (folder / "key.pem").chmod(0o644)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("stays as it was: Everybody on this machine can read or write the TLS key")
        connection = _connect(server, trusting)
        assert _serial(connection) == first
        connection.close()
    for command in (("serve", "--port", "0"), ("config", "check")):
        refused = finished(*command, *files, folder=folder)
        assert refused.returncode == 1
        assert "can read or write the TLS key key.pem. Run `chmod 600`" in refused.stderr


def test_without_a_certificate_sighup_ends_nothing(folder: Path) -> None:
    with serving(folder=folder) as server:
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("nothing to reload")
        assert server.process.poll() is None
