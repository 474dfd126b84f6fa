"""The two versions of SOAP and what differs between them."""

from dataclasses import dataclass

__all__ = ["SOAP11", "SOAP12", "VERSIONS", "Version"]


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version of SOAP."""

    name: str
    namespace: str
    media_type: str
    roles: frozenset[str]
    """Values of the role attribute that mean whoever reads the message."""
    role_attribute: str
    encoding: str
    """Namespace of SOAP encoding, which documented envelopes declare."""


SOAP11 = Version(
    name="1.1",
    namespace="http://schemas.xmlsoap.org/soap/envelope/",
    media_type="text/xml",
    roles=frozenset({"", "http://schemas.xmlsoap.org/soap/actor/next"}),
    role_attribute="{http://schemas.xmlsoap.org/soap/envelope/}actor",
    encoding="http://schemas.xmlsoap.org/soap/encoding/",
)
SOAP12 = Version(
    name="1.2",
    namespace="http://www.w3.org/2003/05/soap-envelope",
    media_type="application/soap+xml",
    roles=frozenset(
        {
            "",
            "http://www.w3.org/2003/05/soap-envelope/role/next",
            "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
        }
    ),
    role_attribute="{http://www.w3.org/2003/05/soap-envelope}role",
    encoding="http://www.w3.org/2003/05/soap-encoding",
)
VERSIONS = {version.namespace: version for version in (SOAP11, SOAP12)}
