"""Sending a message and taking the answer: HTTP with limits on time and size.

Redirections are not followed, since a password would go where nobody looked; proxies of the
environment are not used. The standard library's HTTP client is enough for one request at a time.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

from services88 import __version__
from services88.client.addresses import ServerAddress
from services88.client.errors import AddressError, NotServices88, TransportError, quoted

__all__ = ["HttpAnswer", "Limits", "Transport", "tls_context"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer may take.

    :ivar seconds: From the start of a call to its last byte.
    :ivar size: Bytes of the answer's body.
    """

    seconds: float = 30
    size: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer of any status."""

    status: int
    media_type: str
    charset: str | None
    location: str | None
    retry_after: str | None
    content: bytes = field(repr=False)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the certificate authorities of this machine, or only those of a PEM file.

    :raises AddressError: The file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise AddressError(
            f"No certificates can be read from {ca_file}: {_why(error)}. Name a PEM file with the "
            "certificate of the authority that signed the server's."
        ) from error


class _Response(http.client.HTTPResponse):
    """Gives up its hold on the connection when what comes is no HTTP, as the library forgets to."""

    def begin(self) -> None:
        try:
            super().begin()
        except BaseException:
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class Transport:
    """One server, and how to reach it."""

    address: ServerAddress
    context: ssl.SSLContext
    limits: Limits

    def post(self, agent: str, action: str, message: bytes) -> HttpAnswer:
        """Send a message to a service.

        :raises TransportError: No answer came, or it took too long.
        :raises NotServices88: The answer is no HTTP, or too long.
        """
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{action}"',
            "Accept": "text/xml, application/soap+xml",
            "Connection": "close",
            "User-Agent": f"services88/{__version__}",
        }
        try:
            with self._connection() as connection:
                connection.request("POST", f"{self.address.folder}/{agent}.svc", message, headers)
                with connection.getresponse() as response:
                    return self._read(response)
        except http.client.HTTPException as error:
            if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead):
                raise self._broken_off() from error
            raise NotServices88(
                f"What {self._where} answered is no HTTP. Check the host and port of the URL."
            ) from error
        except OSError as error:
            raise self._failure(error) from error

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        """Connect, and cut the connection when the time is over, whatever it waits for."""
        host, port, seconds = self.address.host, self.address.port, self.limits.seconds
        kind = http.client.HTTPSConnection if self.address.tls else http.client.HTTPConnection
        connection = kind(host, port, timeout=seconds)
        connection.response_class = _Response
        plain = socket.create_connection((host, port), seconds)
        watched = [plain]
        expired: list[bool] = []

        def cut() -> None:
            expired.append(True)
            try:
                # The method of the plain socket: that of a TLS one unwraps it under a reader.
                socket.socket.shutdown(watched[0], socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed already

        timer = Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            if self.address.tls:
                watched[0] = connection.sock = self.context.wrap_socket(
                    plain, server_hostname=host, do_handshake_on_connect=False
                )
                watched[0].do_handshake()  # type: ignore[attr-defined]
            else:
                connection.sock = plain
            yield connection
            if expired:
                raise TimeoutError
        except (OSError, http.client.HTTPException) as error:
            if expired:
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()
            connection.close()
            watched[0].close()

    def _read(self, response: http.client.HTTPResponse) -> HttpAnswer:
        content = response.read(self.limits.size + 1)
        if len(content) > self.limits.size:
            raise NotServices88(
                f"The answer of {self._where} is longer than {self.limits.size} bytes, which no "
                "answer of Services88 is. Check the URL.",
                response.status,
            )
        if response.length:
            raise self._broken_off()
        return HttpAnswer(
            response.status,
            response.headers.get_content_type(),
            response.headers.get_content_charset(),
            response.getheader("Location"),
            response.getheader("Retry-After"),
            content,
        )

    @property
    def _where(self) -> str:
        return f"{self.address.host} port {self.address.port}"

    def _broken_off(self) -> TransportError:
        return TransportError(
            f"{self._where} broke off the connection before it had answered. Whether the call was "
            "carried out is not known: try the new password, then the old one."
        )

    def _failure(self, error: OSError) -> TransportError:
        match error:
            case ssl.SSLCertVerificationError():
                return TransportError(
                    f"The certificate of {self._where} is not trusted: "
                    f"{quoted(error.verify_message)}. Check the host name in the URL. Where your "
                    "organisation has its own certificate authority, name its PEM file with "
                    "--ca-file."
                )
            case ssl.SSLError():
                return TransportError(
                    f"{self._where} does not speak TLS as it should: {_why(error)}. Check the port "
                    "in the URL, and whether it is https at all."
                )
            case TimeoutError():
                return TransportError(
                    f"{self._where} did not answer within {self.limits.seconds:g} seconds. Check "
                    "the URL and your network. If the call was on its way already, it may have "
                    "been carried out: try the new password, then the old one."
                )
            case socket.gaierror():
                return TransportError(
                    f"There is no host {self.address.host}: {_why(error)}. Check the URL."
                )
            case ConnectionResetError() | BrokenPipeError():
                return self._broken_off()
        return TransportError(
            f"{self._where} cannot be reached: {_why(error)}. Check the host and port of the URL, "
            "and whether the server is running."
        )


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return str(error.reason).lower().replace("_", " ")
    text = getattr(error, "strerror", None)
    return quoted(str(text or type(error).__name__))
