"""A real SMTP server on loopback, with STARTTLS, that keeps what it is given."""

import email
import email.policy
import socket
import ssl
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from queue import Queue
from types import TracebackType
from typing import BinaryIO, cast

__all__ = ["Received", "SmtpServer"]


@dataclass
class Received:
    """A mail that was taken, and how it came."""

    recipient: str
    message: EmailMessage
    encrypted: bool
    raw: bytes

    @property
    def text(self) -> str:
        return str(self.message.get_content())


class SmtpServer:
    """Has its port from the beginning; refuses connections until it is told to listen."""

    def __init__(self, tls: ssl.SSLContext | None, *, implicit: bool = False) -> None:
        self.mails: Queue[Received] = Queue()
        self.sessions: Queue[list[str]] = Queue()
        """The commands of each connection that ended."""
        self.refusal: bytes | None = None
        """What to answer to a mail instead of taking it."""
        self.hold = False
        """Whether to keep the client waiting once its mail has come."""
        self.holding = threading.Event()
        self._tls = tls
        self._implicit = implicit
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()

    def listen(self) -> None:
        self._socket.listen()
        self._start(self._accept)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def __enter__(self) -> "SmtpServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(20)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        commands: list[str] = []
        try:
            if self._implicit and self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._talk(connection, commands, encrypted=self._implicit)
        except OSError:
            pass
        finally:
            self.sessions.put(commands)

    def _talk(self, connection: socket.socket, commands: list[str], *, encrypted: bool) -> None:
        recipient = ""
        lines = cast(BinaryIO, connection.makefile("rb"))
        try:
            connection.sendall(b"220 test\r\n")
            while line := lines.readline():
                command = line.decode().strip()
                commands.append(command)
                verb = command.partition(" ")[0].upper()
                if verb == "EHLO":
                    offers = self._tls is not None and not encrypted
                    connection.sendall(b"250-test\r\n")
                    connection.sendall(b"250-AUTH PLAIN\r\n" if encrypted else b"")
                    connection.sendall(b"250-STARTTLS\r\n" if offers else b"")
                    connection.sendall(b"250 8BITMIME\r\n")
                elif verb == "STARTTLS" and self._tls is not None:
                    connection.sendall(b"220 go\r\n")
                    lines.close()
                    connection = self._tls.wrap_socket(connection, server_side=True)
                    lines, encrypted = cast(BinaryIO, connection.makefile("rb")), True
                elif verb == "AUTH":
                    connection.sendall(b"235 welcome\r\n")
                elif verb == "RCPT":
                    recipient = command.partition("<")[2].partition(">")[0]
                    connection.sendall(b"250 ok\r\n")
                elif verb == "DATA":
                    connection.sendall(b"354 go\r\n")
                    raw = b"".join(iter(lines.readline, b".\r\n"))
                    if self.hold:
                        self.holding.set()
                        lines.readline()  # until the client is gone
                        return
                    if self.refusal is not None:
                        connection.sendall(self.refusal)
                        continue
                    message = email.message_from_bytes(raw, policy=email.policy.default)
                    assert isinstance(message, EmailMessage)
                    self.mails.put(Received(recipient, message, encrypted, raw))
                    connection.sendall(b"250 taken\r\n")
                elif verb == "QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                else:
                    connection.sendall(b"250 ok\r\n")
        finally:
            lines.close()
            connection.close()
