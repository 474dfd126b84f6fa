"""TLS: checking a certificate, and taking a new one on SIGHUP while connections go on."""

import asyncio
import logging
import signal
import ssl
import sys
import threading
from pathlib import Path
from socket import socket

import uvicorn

from services88.identity.errors import BadInput
from services88.identity.secret_files import refuse_open_file
from services88.web.connections import Connections, Listener, Visit

__all__ = ["ReloadingServer", "check_certificate"]

_log = logging.getLogger("services88.server")


def check_certificate(certificate: Path, key: Path) -> None:
    """Refuse a certificate and key that cannot be used, or a key that everybody can read.

    :raises BadInput: They cannot be used.
    """
    refuse_open_file(key, f"the TLS key {key}", "have a certificate issued for a new key")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise BadInput(
            f"The certificate {certificate} and the key {key} cannot be "
            f"used: {error}. Both must be PEM, belong together, and the key have no passphrase."
        ) from error


def ends_on_hangup(*, has_certificate: bool) -> bool:
    """Say whether SIGHUP ends the server: a terminal that closes must, `systemctl reload` must not.

    Where there is a certificate it is read again in either case, and nohup is respected.
    """
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return not (has_certificate or ignored) and bool(sys.stdin) and sys.stdin.isatty()


class ReloadingServer(uvicorn.Server):
    """uvicorn, which on SIGHUP reads certificate and key again; what is wrong changes nothing."""

    def __init__(
        self, config: uvicorn.Config, connections: Connections, handshake_seconds: float
    ) -> None:
        """Make the server, ready to run.

        :param handshake_seconds: That a client has for the handshake of TLS.
        """
        super().__init__(config)
        self._connections = connections
        self._handshake_seconds = handshake_seconds

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start to answer."""
        if self.config.ssl is not None:
            self.config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
        await super().startup([])
        self._listen(sockets or [])
        wanted = not ends_on_hangup(has_certificate=self.config.ssl is not None)
        if wanted and threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)

    def _listen(self, sockets: list[socket]) -> None:
        """Accept connections in the place of uvicorn, which sees none before its handshake."""

        def protocol(visit: Visit) -> asyncio.Protocol:
            made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
                visit=visit,
            )
            return made

        for one in sockets:
            listener = Listener(
                one,
                self._connections,
                protocol,
                tls=self.config.ssl,
                handshake_seconds=self._handshake_seconds,
            )
            self.servers.append(listener)  # type: ignore[arg-type]

    def reload(self) -> None:
        """Read certificate and key again, for the connections that are made from now on."""
        context, chain, key = self.config.ssl, self.config.ssl_certfile, self.config.ssl_keyfile
        if context is None or chain is None or key is None:
            _log.info("nothing to reload: there is no certificate")
            return
        try:
            # First into a context of its own: half a pair must not get into the one in use.
            check_certificate(Path(chain), Path(key))
            context.load_cert_chain(chain, key, password="")
        except (BadInput, OSError, ValueError) as error:
            _log.error("the certificate stays as it was: %s", error)
        else:
            _log.info("the certificate was read again")
