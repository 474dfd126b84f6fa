"""Reading XML from strangers, and the little that writing it needs.

Everything that a message may not have is refused here, by one settings object (ASVS 1.5.1) and in
the one walk that reads it: SOAP 1.1 section 3 allows neither a document type declaration nor
processing instructions; depth, elements, attributes and namespaces are bounded, as is the encoding:
expat reads those of ``ENCODINGS`` by itself, and asks nobody for another (Python's codecs keep each
name that they were ever asked for). The size of a message is bounded before it comes here.

The parser is expat, of the standard library. libxml2 (lxml) keeps every name it ever read in a
dictionary of the thread, for as long as the thread lives, and names are the sender's to choose;
expat keeps nothing once a message is read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias
from xml.parsers import expat

__all__ = [
    "ENCODINGS",
    "XML_DECLARATION",
    "Element",
    "NotAcceptable",
    "XmlSettings",
    "is_xml_text",
    "parse",
    "text_of",
]

XML_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'

ENCODINGS = frozenset({"utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "iso-8859-1"})
"""What a message may be in, whoever names it: the transport, a byte order mark, or the message."""

# The first two bytes tell UTF-16 without a mark: what follows "<" is ASCII in every message.
_BEGINNINGS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_UNMARKED = {b"<\0": "utf-16le", b"\0<": "utf-16be"}
_DECLARED = re.compile(rb"[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*[\"']([^\"']*)")
_LONGEST_DECLARATION = 256


@dataclass(frozen=True, slots=True)
class XmlSettings:
    """What a message may hold. WCF's documented reader quota for depth is 32.

    The largest documented message has 181 elements. In the 64 KiB that a body may have, the fields
    of the contract, with its names, are a thousand or two, and an array of numbers with the
    shortest names that clients write some 4,000. The time that a message takes grows with them.

    :ivar max_elements: Elements of a message.
    :ivar max_attributes: Attributes of one element.
    :ivar max_all_attributes: Attributes of all elements of a message.
    :ivar max_namespaces: How many declarations of a prefix may be in force at one element.
    :ivar max_all_namespaces: Declarations of a prefix in a message. Some clients repeat that of the
        contract, which has 60 characters, at every element.
    :ivar max_namespace: Characters of a namespace. Each element repeats it in its tag, so that with
        a long one 64 KiB become a gigabyte.
    """

    max_depth: int = 32
    max_elements: int = 4096
    max_attributes: int = 64
    max_all_attributes: int = 4096
    max_namespaces: int = 64
    max_all_namespaces: int = 1024
    max_namespace: int = 256


class NotAcceptable(Exception):
    """The bytes are no XML, or XML of a kind that no message has."""


_Scope: TypeAlias = "tuple[int, str | None, str | None, _Scope] | None"
"""Declarations in force: how many, the innermost prefix and its namespace, and the others."""


class Element:
    """An element of a message: what its reader needs, and no more.

    :ivar tag: ``{namespace}name``, or the name alone where it is in no namespace.
    :ivar text: The character data before the first child.
    """

    __slots__ = ("_attributes", "_children", "_scope", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str], scope: _Scope) -> None:
        self.tag = tag
        self.text = ""
        self._attributes = attributes
        self._children: list[Element] = []
        self._scope = scope

    def __iter__(self) -> Iterator["Element"]:
        return iter(self._children)

    def __len__(self) -> int:
        return len(self._children)

    def __getitem__(self, index: int) -> "Element":
        return self._children[index]

    @property
    def namespace(self) -> str:
        """The namespace; empty where there is none."""
        return self.tag[1:].partition("}")[0] if self.tag[0] == "{" else ""

    @property
    def name(self) -> str:
        """The name without its namespace."""
        return self.tag.rpartition("}")[2]

    def get(self, name: str) -> str | None:
        """Give an attribute, named as a tag is; None where it is absent."""
        return self._attributes.get(name)

    def namespace_of(self, prefix: str | None) -> str | None:
        """Say what a prefix stands for here (None: no prefix); None where it is not declared."""
        scope = self._scope
        while scope is not None:
            _, declared, namespace, scope = scope
            if declared == prefix:
                return namespace
        return None


class _Building:
    """Builds the elements of one message, and refuses what it may not have."""

    __slots__ = ("_attributes", "_elements", "_namespaces", "_open", "_scope", "_settings", "root")

    def __init__(self, settings: XmlSettings) -> None:
        self.root: Element | None = None
        self._settings = settings
        self._open: list[Element] = []
        self._scope: _Scope = None
        # How many more there may be.
        self._elements = settings.max_elements
        self._attributes = settings.max_all_attributes
        self._namespaces = settings.max_all_namespaces

    def declare(self, prefix: str | None, namespace: str | None) -> None:
        self._namespaces -= 1
        if self._namespaces < 0:
            raise NotAcceptable(
                f"A message may hold at most {self._settings.max_all_namespaces} namespace "
                "declarations."
            )
        count = self._scope[0] + 1 if self._scope else 1
        if count > self._settings.max_namespaces:
            raise NotAcceptable(
                f"At most {self._settings.max_namespaces} namespace declarations may be in force."
            )
        if namespace and len(namespace) > self._settings.max_namespace:
            raise NotAcceptable(
                f"A namespace may have at most {self._settings.max_namespace} characters."
            )
        self._scope = (count, prefix, namespace, self._scope)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        around = self._open
        self._elements -= 1
        if self._elements < 0:
            raise NotAcceptable(
                f"A message may hold at most {self._settings.max_elements} elements."
            )
        if len(around) >= self._settings.max_depth:
            raise NotAcceptable(f"A message may nest at most {self._settings.max_depth} elements.")
        if attributes:
            if len(attributes) > self._settings.max_attributes:
                raise NotAcceptable(
                    f"An element may have at most {self._settings.max_attributes} attributes."
                )
            self._attributes -= len(attributes)
            if self._attributes < 0:
                raise NotAcceptable(
                    f"A message may hold at most {self._settings.max_all_attributes} attributes."
                )
            attributes = {
                "{" + name if "}" in name else name: value for name, value in attributes.items()
            }
        element = Element("{" + tag if "}" in tag else tag, attributes, self._scope)
        if around:
            around[-1]._children.append(element)
        else:
            self.root = element
        around.append(element)

    def end(self, _: str) -> None:
        around = self._open
        around.pop()
        self._scope = around[-1]._scope if around else None

    def text(self, data: str) -> None:
        element = self._open[-1]
        if not element._children:
            element.text += data

    def doctype(self, *_: object) -> None:
        raise NotAcceptable("A message may not have a document type declaration (DOCTYPE).")

    def instruction(self, *_: object) -> None:
        raise NotAcceptable("A message may not have processing instructions.")


def parse(
    document: bytes, encoding: str | None = None, settings: XmlSettings | None = None
) -> Element:
    """Parse a message and give its root.

    :param encoding: What the transport says; a byte order mark overrules it.
    :raises NotAcceptable: It is no well-formed XML, or holds what no message may.
    """
    building = _Building(settings or _DEFAULT)
    # What separates namespace and name cannot be in a namespace: expat refuses it there.
    parser = expat.ParserCreate(_encoding_of(document, encoding), "}")
    parser.buffer_text = True  # comments and the limits of CDATA are no limits of the text
    parser.StartNamespaceDeclHandler = building.declare
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.text
    parser.StartDoctypeDeclHandler = building.doctype
    parser.ProcessingInstructionHandler = building.instruction
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        where = f" (line {error.lineno})"
        raise NotAcceptable(f"The message is not well-formed XML{where}.") from error
    assert building.root is not None  # noqa: S101 - expat has seen a root, or raised
    return building.root


_DEFAULT = XmlSettings()


def _encoding_of(document: bytes, said: str | None) -> str:
    """Return the encoding of a message, by a name that expat knows.

    Always one, and one of its own: expat then heeds no declaration, and never asks Python for a
    codec.

    :raises NotAcceptable: It is none of ``ENCODINGS``.
    """
    for mark, marked in _BEGINNINGS.items():
        if document.startswith(mark):
            return marked
    if said is None:
        said = _UNMARKED.get(document[:2]) or _declared_in(document)
    name = said.lower()
    if name not in ENCODINGS:
        raise NotAcceptable("The message is in an encoding that is not read here. Send UTF-8.")
    return "utf-8" if name == "utf8" else name


def _declared_in(document: bytes) -> str:
    """Return what the XML declaration names; UTF-8 where it names none, or there is none."""
    if not document.startswith(b"<?xml") or document[5:6] not in (b" ", b"\t", b"\r", b"\n"):
        return "utf-8"
    declaration, end, _ = document[:_LONGEST_DECLARATION].partition(b"?>")
    if not end:
        raise NotAcceptable(
            f"The XML declaration has more than {_LONGEST_DECLARATION} bytes, or no end."
        )
    found = _DECLARED.search(declaration)
    return found[1].decode("latin-1") if found else "utf-8"


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
