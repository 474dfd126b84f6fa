"""SOAP faults: the answer to a message that is not this contract.

No operation of the contract declares one; refusals of a well-formed call travel in ExceptionInfo.
"""

from dataclasses import dataclass
from enum import Enum
from xml.sax.saxutils import escape, quoteattr

from services88.soap.versions import SOAP11, SOAP12, Version
from services88.soap.xml import XML_DECLARATION, text_of

__all__ = ["Code", "Fault", "SoapError", "write_fault"]

# WCF's BasicHttpBinding writes dispatcher faults of SOAP 1.1 in this namespace.
_WCF_ADDRESSING_NONE = "http://schemas.microsoft.com/ws/2005/05/addressing/none"
_WS_ADDRESSING = "http://www.w3.org/2005/08/addressing"


class Code(Enum):
    """Who is to mend it. Values are the local names in SOAP 1.1 and 1.2."""

    SENDER = ("Client", "Sender")
    RECEIVER = ("Server", "Receiver")
    MUST_UNDERSTAND = ("MustUnderstand", "MustUnderstand")
    VERSION_MISMATCH = ("VersionMismatch", "VersionMismatch")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault. ``reason`` is for a person: the cause and the remedy, and nothing secret."""

    code: Code
    reason: str
    action_not_supported: bool = False
    not_understood: tuple[tuple[str, str], ...] = ()
    """Namespace and name of header blocks that must be understood and are not."""
    retry_after: int | None = None
    """Seconds after which the same call may succeed."""

    @property
    def logged(self) -> str:
        """The reason without what the message chose: names of its header blocks."""
        return self.reason.partition(":")[0] if self.not_understood else self.reason

    def status(self, version: Version) -> int:
        """Give the HTTP status (SOAP 1.1 section 6.2; SOAP 1.2 part 2 section 7.5.2)."""
        if self.retry_after is not None:
            return 503
        return 400 if version is SOAP12 and self.code is Code.SENDER else 500


class SoapError(Exception):
    """Raised where a message turns out not to be this contract."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


def write_fault(version: Version, fault: Fault) -> bytes:
    """Write the envelope of a fault.

    In SOAP 1.1 it has neither ``detail`` nor ``xml:lang``: each breaks a client that is in use.
    """
    envelope = _write_12 if version is SOAP12 else _write_11
    return (XML_DECLARATION + envelope(fault)).encode()


def _write_11(fault: Fault) -> str:
    code = f"s:{fault.code.value[0]}"
    declared = ""
    if fault.action_not_supported:
        code, declared = "a:ActionNotSupported", f" xmlns:a={quoteattr(_WCF_ADDRESSING_NONE)}"
    return (
        f"<s:Envelope xmlns:s={quoteattr(SOAP11.namespace)}><s:Body><s:Fault>"
        f"<faultcode{declared}>{code}</faultcode>"
        f"<faultstring>{text_of(fault.reason)}</faultstring>"
        "</s:Fault></s:Body></s:Envelope>"
    )


def _write_12(fault: Fault) -> str:
    header = "".join(
        f"<s:NotUnderstood qname={quoteattr('n:' + name)} xmlns:n={quoteattr(namespace)}/>"
        if namespace
        else f"<s:NotUnderstood qname={quoteattr(name)}/>"
        for namespace, name in fault.not_understood
    )
    subcode = ""
    if fault.action_not_supported:
        subcode = (
            f"<s:Subcode><s:Value xmlns:a={quoteattr(_WS_ADDRESSING)}>a:ActionNotSupported"
            "</s:Value></s:Subcode>"
        )
    return (
        f"<s:Envelope xmlns:s={quoteattr(SOAP12.namespace)}>"
        + (f"<s:Header>{header}</s:Header>" if header else "")
        + f"<s:Body><s:Fault><s:Code><s:Value>s:{escape(fault.code.value[1])}</s:Value>{subcode}"
        f'</s:Code><s:Reason><s:Text xml:lang="en">{text_of(fault.reason)}</s:Text></s:Reason>'
        "</s:Fault></s:Body></s:Envelope>"
    )
