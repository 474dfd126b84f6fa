"""An SMTP server for a test, and settings that lead to it."""

import logging
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from services88.mail import sender
from tests.notices.smtp import SmtpServer


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Trust the authority of the server's certificate, as an operator would."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return authority


@pytest.fixture
def smtp(
    tls: ssl.SSLContext,
    trusted: trustme.CA,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[SmtpServer]:
    monkeypatch.setattr(sender, "_PAUSE", 0.05)  # a second, many times over, is minutes
    with SmtpServer(tls) as server:
        yield server


class Heard(logging.Handler):
    """Waits until something is logged."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self._text in record.getMessage():
            self._event.set()

    def wait(self) -> None:
        assert self._event.wait(30)


@pytest.fixture
def postponed() -> Iterator[Heard]:
    """Wait for a mail that could not be sent."""
    heard = Heard("could not be sent")
    logger = logging.getLogger("services88.mail")
    logger.addHandler(heard)
    yield heard
    logger.removeHandler(heard)


def mailing(smtp: SmtpServer, **more: Any) -> dict[str, Any]:
    """Give the settings with which a server mails through that one."""
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": smtp.port,
        "mail_from": "services88@example.com",
        "public_url": "https://id.example.com",
        **more,
    }
