"""Reading XML from strangers, and the little that writing it needs.

Everything that a message may not have is refused here, by one settings object (ASVS 1.5.1): SOAP
1.1 section 3 allows neither a document type declaration nor processing instructions; depth and
number of attributes are bounded. The size of a message is bounded before it comes here.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock, local

from lxml import etree

__all__ = ["XML_DECLARATION", "NotAcceptable", "XmlSettings", "is_xml_text", "parse", "text_of"]

XML_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class XmlSettings:
    """What a message may hold. WCF's documented reader quota for depth is 32."""

    max_depth: int = 32
    max_attributes: int = 64


class NotAcceptable(Exception):
    """The bytes are no XML, or XML of a kind that no message has."""


class _Parsing:
    """Parses on a thread that is replaced now and then.

    libxml2 keeps every name it ever read in a dictionary of the thread, for as long as the thread
    lives. Names are the sender's to choose: on one thread for ever, memory would only grow.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._read = 0

    def __call__(self, document: bytes, encoding: str | None) -> etree._Element:
        with self._lock:
            if self._thread is None or self._read > _MOST_READ:
                if self._thread is not None:
                    self._thread.shutdown(wait=False)
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="xml")
                self._read = 0
            self._read += len(document)
            future = self._thread.submit(_fromstring, document, encoding)
        return future.result()


_MOST_READ = 4 * 1024 * 1024
"""Bytes of messages that one thread reads; its dictionary grows by a small multiple of that."""

_parsing = _Parsing()
_local = local()


def _fromstring(document: bytes, encoding: str | None) -> etree._Element:
    name = encoding or ""
    parser: etree.XMLParser | None = getattr(_local, name, None)
    if parser is None:
        parser = _parser(encoding)
        setattr(_local, name, parser)
    return etree.fromstring(document, parser)


def _parser(encoding: str | None) -> etree.XMLParser:
    # Without comments libxml2 joins the text around them, as a reader of the message must.
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=False,
    )


def parse(
    document: bytes, encoding: str | None = None, settings: XmlSettings | None = None
) -> etree._Element:
    """Parse a message and give its root.

    :param encoding: What the transport says; a byte order mark overrules it.
    :raises NotAcceptable: It is no well-formed XML, or holds what no message may.
    """
    settings = settings or _DEFAULT
    if encoding is not None and document.startswith(_BYTE_ORDER_MARKS):
        encoding = None
    try:
        root = _parsing(document, encoding)
    except (etree.XMLSyntaxError, LookupError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        raise NotAcceptable(f"The message is not well-formed XML{where}.") from error
    tree = root.getroottree()
    if tree.docinfo.doctype:
        raise NotAcceptable("A message may not have a document type declaration (DOCTYPE).")
    if next(tree.iter(etree.PI), None) is not None or _beside(root):
        raise NotAcceptable("A message may not have processing instructions.")
    _measure(root, 1, settings)
    return root


_DEFAULT = XmlSettings()


def _beside(root: etree._Element) -> bool:
    return next(root.itersiblings(preceding=True), None) is not None or (
        next(root.itersiblings(), None) is not None
    )


def _measure(element: etree._Element, depth: int, settings: XmlSettings) -> None:
    if depth > settings.max_depth:
        raise NotAcceptable(f"A message may nest at most {settings.max_depth} elements.")
    if len(element.attrib) > settings.max_attributes:
        raise NotAcceptable(f"An element may have at most {settings.max_attributes} attributes.")
    for child in element:
        _measure(child, depth + 1, settings)


_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_xml_text(value: str) -> bool:
    """Say whether XML can hold a text as it is."""
    return value.isprintable() or _NOT_XML.search(value) is None


def text_of(value: str) -> str:
    """Write text as XML character data; characters that XML cannot hold become U+FFFD."""
    if not value.isprintable():
        value = _NOT_XML.sub("\ufffd", value)
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return value.replace("\r", "&#13;") if "\r" in value else value
