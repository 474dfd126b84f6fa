"""Our reader of XML beside another parser (libxml2): the same names, values and refusals."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services88.soap.xml import Element, NotAcceptable, parse

_SPACES = ["", "urn:a", "urn:b"]
_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n<>&\"'"), max_size=12
)
_PIECES = st.one_of(
    _TEXT.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")),
    _TEXT.map(lambda text: f"<![CDATA[{text.replace(']]>', '')}]]>"),
    st.just("<!-- a comment -->"),
    st.integers(0x20, 0xD7FF).map(lambda number: f"&#{number};"),
    st.sampled_from(["&amp;", "&lt;", "&#13;", "\r\n", "&#x1F600;", "&none;", "&#0;", "]]>"]),
)
_CONTENT = st.lists(_PIECES, max_size=4).map("".join)


@st.composite
def _elements(draw: st.DrawFn, depth: int = 0) -> str:
    name = draw(st.sampled_from(["a", "b", "p:a", "q:a", "é"]))
    declared = draw(
        st.sampled_from(["", ' xmlns="urn:a"', ' xmlns=""', ' xmlns:p="urn:a" xmlns:q="urn:b"'])
    )
    attribute = draw(st.sampled_from(["", ' x="1"', ' p:x=" a&#10;\tb "', ' x="1" x="2"']))
    inside = "".join(
        draw(_CONTENT) + (draw(_elements(depth + 1)) if depth < 3 else "")
        for _ in range(draw(st.integers(0, 2)))
    )
    return f"<{name}{declared}{attribute}>{inside}</{name}>"


def _same(ours: Element, theirs: etree._Element) -> None:
    assert ours.tag == theirs.tag
    assert ours.text == (theirs.text or "")
    assert {name: ours.get(str(name)) for name in theirs.attrib} == dict(theirs.attrib)
    for prefix, namespace in theirs.nsmap.items():
        assert (ours.namespace_of(prefix) or "") == (namespace or "")
    for one, other in zip(ours, theirs, strict=True):
        _same(one, other)


@given(_elements(), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
def test_the_same_as_another_parser(document: str, encoding: str) -> None:
    content = f'<r xmlns:p="urn:p" xmlns:q="urn:q">{document}</r>'.encode(encoding)
    try:
        theirs = etree.fromstring(
            content, etree.XMLParser(resolve_entities=False, remove_comments=True)
        )
    except etree.XMLSyntaxError:
        with pytest.raises(NotAcceptable):
            parse(content)
        return
    _same(parse(content), theirs)


@given(
    st.binary(max_size=200)
    | _elements()
    .map(str.encode)
    .flatmap(lambda whole: st.integers(0, len(whole)).map(lambda end: whole[:end]))
)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for encoding in (None, "utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1"):
        try:
            parse(content, encoding)
        except NotAcceptable:
            pass


@pytest.mark.parametrize(
    "content",
    [
        b"<a>\x00</a>",
        b"<a>\xff\xfe</a>",
        b"<a>\xc0\x80</a>",
        b"<a>\xed\xa0\x80</a>",
        "<a/>".encode("utf-16")[:-1],
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b'<?xml version="1.0" encoding="shift_jis"?><a/>',
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b'<?xml version="1.0" encoding="rot13"?><a/>',
        "<!DOCTYPE a><a/>".encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;&b;">]><a>&d;</a>',
        b"<?p ?><a/>",
        b"<a/><?p ?>",
        b"<a><?p ?></a>",
        b'<a x="1" x="2"/>',
        b'<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>',
        b'<a xmlns="u}v"/>',
        b'<p:a xmlns:p=""/>',
    ],
)
def test_refused(content: bytes) -> None:
    with pytest.raises(NotAcceptable):
        parse(content)


def test_a_doctype_inside_text_is_text() -> None:
    assert parse(b"<a><![CDATA[<!DOCTYPE x><?p?>]]></a>").text == "<!DOCTYPE x><?p?>"


def test_namespaces_in_force_are_limited() -> None:
    def declaring(count: int) -> bytes:
        return ("<a" + "".join(f' xmlns:p{n}="u"' for n in range(count)) + "/>").encode()

    beside = b"<a>" + declaring(64) * 16 + b"</a>"
    assert len(parse(declaring(64))) == 0
    assert len(parse(beside)) == 16
    with pytest.raises(NotAcceptable, match="namespace"):
        parse(declaring(65))


def test_the_length_of_a_namespace_is_limited() -> None:
    """Every element repeats its own: one of 32,000 characters made a gigabyte of 64 KiB."""
    for prefix in ("", ":p"):
        assert len(parse(f"<a xmlns{prefix}='{'u' * 256}'/>".encode())) == 0
        for content in ("<b/>" * 8_000, "<c xmlns='' p:d='1'/>" * 1_000, ""):
            with pytest.raises(NotAcceptable, match="namespace"):
                parse(f"<a xmlns{prefix}='{'u' * 257}'>{content}</a>".encode())


def test_the_parts_of_a_message_are_counted() -> None:
    assert len(parse(b"<a>" + b"<b/>" * 4095 + b"</a>")) == 4095
    with pytest.raises(NotAcceptable, match="at most 4096 elements"):
        parse(b"<a>" + b"<b/>" * 4096 + b"</a>")
    full = "<b" + "".join(f" a{n}='1'" for n in range(64)) + "/>"
    assert len(parse(f"<a>{full * 64}</a>".encode())) == 64
    with pytest.raises(NotAcceptable, match="at most 4096 attributes"):
        parse(f"<a>{full * 64}<b c='1'/></a>".encode())
    with pytest.raises(NotAcceptable, match="at most 64 attributes"):
        parse(full.replace("/>", " c='1'/>").encode())
    assert len(parse(b"<a>" + b"<b xmlns='u'/>" * 1024 + b"</a>")) == 1024
    with pytest.raises(NotAcceptable, match="at most 1024 namespace"):
        parse(b"<a>" + b"<b xmlns='u'/>" * 1025 + b"</a>")


@pytest.mark.parametrize("name", ["utf-8", "UTF-8", "utf8", "us-ascii", "iso-8859-1", "ISO-8859-1"])
def test_the_encoding_that_a_message_names(name: str) -> None:
    said = f"<?xml version='1.0'\tencoding\n=\r'{name}' standalone='yes'?><a>"
    assert parse(said.encode() + b"b</a>").text == "b"
    if "8859" in name:
        assert parse(said.encode() + b"\xe9</a>").text == "\xe9"
    else:
        with pytest.raises(NotAcceptable):
            parse(said.encode() + b"\xe9</a>")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", ["", "<?xml version='1.0' encoding='utf-16'?>"])
def test_utf_16_needs_no_mark(encoding: str, declared: str) -> None:
    assert parse(f"{declared}<a>\u0436</a>".encode(encoding)).text == "\u0436"


_ASKS_FOR_ENCODINGS = """
import codecs, sys
asked = []
codecs.register(lambda name: asked.append(name))
from services88.soap.xml import NotAcceptable, parse
for name in ("nonsense", "windows-1252", "shift_jis", "rot13", "zip", "utf-7", "x" * 60_000):
    for said in (None, name):
        for message in (f"<?xml version='1.0' encoding='{name}'?><a/>", "<a/>"):
            for document in (message.encode(), message.encode("utf-16-le")):
                try:
                    parse(document, said)
                except NotAcceptable:
                    pass
sys.exit(f"asked for {asked[0][:20]}" if asked or "encodings.cp1252" in sys.modules else 0)
"""


def test_no_codec_is_looked_up_that_a_message_names() -> None:
    """Each name stayed in the standard library's caches: 1,000 messages, 60 MB."""
    subprocess.run([sys.executable, "-c", _ASKS_FOR_ENCODINGS], check=True, timeout=60)
