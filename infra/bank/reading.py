"""From the bytes of a file to bank statements, whatever of the known formats it is in."""

import codecs

from infra.bank.camt import read_camt
from infra.bank.mt940_fields import looks_like_mt940
from infra.bank.mt940_reader import read_mt940
from infra.bank.unreadable import MAX_BYTES, UnreadableStatement, shown
from infra.bank.xml_events import looks_like_xml
from models.banking.statement import BankStatement

__all__ = ["MAX_BYTES", "UnreadableStatement", "read_statements"]

_KNOWN = (
    (b"PK\x03\x04", "a ZIP archive: unpack it and send what is in it"),
    (b"\x1f\x8b", "a gzip archive: unpack it and send what is in it"),
    (b"%PDF", "a PDF: ask the bank for camt.053 or MT940"),
    (b"\xd0\xcf\x11\xe0", "an old Office document: ask the bank for camt.053 or MT940"),
    (b"OFXHEADER", "OFX: ask the bank for camt.053 or MT940"),
)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_statements(body: bytes, name: str = "") -> tuple[BankStatement, ...]:
    """The statements of a camt.053 (02, 04, 08) or MT940 file, at least one. `name` of the file is only for messages.

    Balances are not checked: a statement that doesn't add up is returned as it is. Raises UnreadableStatement and
    nothing else, for any bytes.
    """
    try:
        return _read(body)
    except UnreadableStatement as problem:
        if not name:
            raise
        raise UnreadableStatement(problem.code, f"{shown(name, 80)[1:-1]}: {problem}") from None


def _read(body: bytes) -> tuple[BankStatement, ...]:
    if len(body) > MAX_BYTES:
        raise UnreadableStatement("too_large", f"the file has {len(body):,} bytes; at most {MAX_BYTES:,} are read")
    if not body.strip():
        raise UnreadableStatement("unknown_format", "the file is empty")
    if looks_like_xml(body):
        return read_camt(body)
    text = _text(body)
    if looks_like_mt940(text):
        return read_mt940(text)
    what = next((what for mark, what in _KNOWN if body.startswith(mark)), "neither camt.053 nor MT940")
    raise UnreadableStatement("unknown_format", f"the file is {what}; found {shown(text[:40])} at its beginning")


def _text(body: bytes) -> str:
    """The text of a file that is no XML: UTF-16 if marked, UTF-8 if it can be, else Windows' western letters."""
    for encoding in ("utf-16",) if body.startswith(_UTF16) else ("utf-8-sig", "cp1252"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1")
