"""XML from a stranger as a stream of events: no DTD, no entities, no network, nothing deep, one encoding."""

import codecs
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from lxml import etree

from infra.bank.unreadable import UnreadableStatement, shown

MAX_DEPTH = 64
"""Elements within elements; camt.053 needs less than 20."""

_CHUNK = 64 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, ""),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_READABLE = ("utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252")
_CODECS = {codecs.lookup(name).name for name in _READABLE}


def looks_like_xml(body: bytes) -> bool:
    """True when the first thing in the body is an angle bracket, in whatever encoding."""
    mark = next((mark for mark, _ in _BOMS if body.startswith(mark) and b"<" not in mark), b"")
    return body[len(mark) :][:400].lstrip(b"\x00 \t\r\n").startswith(b"<")


def events(body: bytes) -> Iterator[tuple[str, etree._Element]]:
    """Yields ("start" | "end", element) in the document's order, without comments and processing instructions.

    The consumer clears what it has read. Raises UnreadableStatement: hostile_xml, odd_encoding, too_deep, malformed.
    """
    data = _utf8(body)
    parser = etree.XMLPullParser(
        events=("start", "end"),
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    depth = 0
    read: Any = parser.read_events  # whose type does not know what was asked for
    for problem in _fed(parser, data):
        for event, element in read():
            depth += 1 if event == "start" else -1
            if depth > MAX_DEPTH:
                raise UnreadableStatement("too_deep", f"the XML has more than {MAX_DEPTH} elements within each other")
            if problem is None:
                yield event, element
        if problem is not None:
            _refuse(problem)


def _fed(parser: etree.XMLPullParser, data: bytes) -> Iterator[etree.XMLSyntaxError | None]:
    """Feeds the parser piece by piece; a problem comes after the events before it can be read."""
    for start in range(0, len(data), _CHUNK):
        try:
            parser.feed(data[start : start + _CHUNK])
        except etree.XMLSyntaxError as problem:
            yield problem
            return
        yield None
    try:
        parser.close()
    except etree.XMLSyntaxError as problem:
        yield problem
    else:
        yield None


def _refuse(problem: etree.XMLSyntaxError) -> NoReturn:
    raise UnreadableStatement("malformed", f"the XML is broken: {shown(str(problem.msg), 120)[1:-1]}") from None


def _utf8(body: bytes) -> bytes:
    """The document in UTF-8, without a byte order mark: the very text that was searched for document types."""
    encoding = _encoding(body)
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as problem:
        raise UnreadableStatement(
            "odd_encoding", f"the file says it is {encoding}, but byte {problem.start + 1} is not"
        ) from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnreadableStatement(
            "hostile_xml", "the XML declares a document type (DOCTYPE); no bank does, so it is not read"
        )
    return body.lstrip() if encoding == "utf-8" else text.lstrip("\ufeff \t\r\n").encode()


def _marked(body: bytes) -> tuple[bytes, str] | None:
    return next(((mark, name) for mark, name in _BOMS if body.startswith(mark)), None)


def _encoding(body: bytes) -> str:
    marked = _marked(body)
    if marked is not None:
        if not marked[1]:
            raise UnreadableStatement("odd_encoding", "the file is in UTF-32; save it as UTF-8")
        return marked[1]
    declared = _DECLARED.match(body[:400])
    if declared is None:
        return "utf-8"
    name = declared[1].decode("ascii")
    try:
        known = codecs.lookup(name).name
    except LookupError:
        known = ""
    if known not in _CODECS:
        raise UnreadableStatement(
            "odd_encoding", f"the file says it is in {shown(name)}; expected UTF-8 or one of {', '.join(_READABLE[1:])}"
        )
    return known
