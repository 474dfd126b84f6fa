"""Which server a URL means, and whether passwords may be sent to it."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from services88.client.errors import AddressError

__all__ = ["ServerAddress", "service_folder"]

_SERVICE = re.compile(r"/[^/]+\.svc", re.IGNORECASE)
_FOLDER = re.compile(r"/Remote/Services(?P<version>[0-9]+)", re.IGNORECASE)
_AS_IS = "/%:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the services are: ``{scheme}://{host}:{port}{folder}/{agent}.svc``."""

    tls: bool
    host: str
    port: int
    folder: str


def service_folder(url: str, *, insecure_http: bool = False) -> ServerAddress:
    """Read a URL as people have it: of the site, of the folder, of a service or of its WSDL.

    :param insecure_http: Allow http to other machines, which shows the passwords to everybody on
        the way. On this machine itself http is always allowed.
    :raises AddressError: It is none, or it is not safe to send passwords to.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressError("This is no URL. " + _WRITE) from error
    if parts.scheme not in ("http", "https") or not host or not _is_host(host):
        raise AddressError("The URL must begin with https:// and a host name. " + _WRITE)
    if parts.username is not None or parts.password is not None:
        raise AddressError("A URL with a user or password in it is not used. " + _WRITE)
    if parts.query.lower() not in ("", "wsdl", "singlewsdl") or parts.fragment:
        raise AddressError("The URL has a query that is not ?wsdl. " + _WRITE)
    tls = parts.scheme == "https"
    if not tls and not insecure_http and not _is_loopback(host):
        raise AddressError(
            "With http everybody on the way to the server can read the passwords. Use https://, "
            "or allow it with --insecure-http."
        )
    return ServerAddress(tls, host, port or (443 if tls else 80), _folder(parts.path))


_WRITE = "Write it like https://crm.example.com/Remote/Services88."


def _folder(path: str) -> str:
    folder = quote(path, safe=_AS_IS).rstrip("/")
    last = folder.rfind("/")
    if last >= 0 and _SERVICE.fullmatch(folder[last:]):
        folder = folder[:last]
    found = [match for match in _FOLDER.finditer(folder) if match.end() == len(folder)]
    if not found:
        return f"{folder}/Remote/Services88"
    if found[0]["version"] != "88":
        raise AddressError(
            f"The URL names Services{found[0]['version']}, and this client speaks Services88 only. "
            "Most servers offer both: write Services88 there."
        )
    return folder


def _is_host(host: str) -> bool:
    return host.isprintable() and not any(character in " \\%" for character in host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
