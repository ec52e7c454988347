"""Files that mean harm or mean nothing: each is refused in words, and nothing but a refusal comes out."""

import gzip
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.bank import reading
from infra.bank.reading import UnreadableStatement, read_statements
from models.banking.statement import BankStatement
from tests.bank.statement_files import ACCOUNT, VERSIONS, Payment, camt, mt940

GOOD = camt("08", ACCOUNT, [Payment(100, text="Straße", name="Käufer"), Payment(-7)], 0, 93)
OTHERS = [camt(version, ACCOUNT, [Payment(5, parts=(Payment(2), Payment(3)))], 0, 5) for version in VERSIONS]
GOOD_MT = mt940(ACCOUNT, [Payment(100, text="x" * 60, name="Käufer", mandate="M"), Payment(-7, reason="912")], 0, 93)
DUTCH = GOOD_MT.replace(b":86:166", b":86:/EREF/1/CNTP/NL/X/REMI/STRD/CUR/77/NAME/")
ROOT = Path(__file__).resolve().parents[2]
MOST_KILOBYTES = 40_000
LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
EXTERNAL = b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def refusal(body: bytes) -> UnreadableStatement:
    with pytest.raises(UnreadableStatement) as caught:
        read_statements(body)
    return caught.value


def with_head(head: bytes, body: bytes = GOOD) -> bytes:
    declaration, _, rest = body.partition(b"?>")
    return declaration + b"?>" + head + rest


@pytest.mark.parametrize(
    "head", [LAUGHS, EXTERNAL, b"<!DOCTYPE a>", b'<!DOCTYPE a PUBLIC "x" "http://example.org/x.dtd">']
)
def test_document_types_are_refused(head: bytes) -> None:
    assert refusal(with_head(head)).code == "hostile_xml"
    assert refusal(with_head(b"<!-- -->" * 10_000 + head)).code == "hostile_xml"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_document_types_in_utf16_are_refused(encoding: str) -> None:
    assert refusal(with_head(LAUGHS).decode().encode(encoding)).code == "hostile_xml"


def test_entities_that_nobody_declared_are_refused() -> None:
    assert refusal(GOOD.replace(b"K\xc3\xa4ufer", b"&nbsp;")).code == "malformed"
    assert refusal(GOOD.replace(b"K\xc3\xa4ufer", b"&xxe;")).code == "malformed"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "iso-8859-1", "iso-8859-15", "windows-1252"]
)
def test_encodings_that_are_read(encoding: str) -> None:
    named = encoding.removesuffix("-sig").removesuffix("-le")
    body = GOOD.decode().replace("UTF-8", named).encode(encoding)
    entry = read_statements(body)[0].entries[0]
    assert (entry.text, entry.party_name) == ("Straße", "Käufer")


@pytest.mark.parametrize("encoding", ["utf-7", "utf-32", "cp037", "rot13", "nonsense"])
def test_encodings_that_are_not(encoding: str) -> None:
    assert refusal(GOOD.replace(b"UTF-8", encoding.encode())).code == "odd_encoding"


def test_bytes_that_are_not_what_the_file_says() -> None:
    assert refusal(GOOD.decode().encode("latin-1")).code == "odd_encoding"
    assert refusal(GOOD.decode().encode("utf-32")).code == "odd_encoding"
    assert "byte " in str(refusal(GOOD.decode().encode("latin-1")))


def test_depth() -> None:
    inner = GOOD.replace(b"</GrpHdr>", b"<x>" * 61 + b"</x>" * 61 + b"</GrpHdr>")
    assert read_statements(inner)[0].difference_minor == 0
    for depth in (62, 300, 100_000):
        deep = GOOD.replace(b"</GrpHdr>", b"<x>" * depth + b"</x>" * depth + b"</GrpHdr>")
        assert refusal(deep).code == "too_deep"
    assert refusal(b"<a>" * 1_000).code == "too_deep"


def test_size(monkeypatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", len(GOOD))
    assert read_statements(GOOD)
    assert refusal(GOOD + b" ").code == "too_large"


def test_counts(monkeypatch) -> None:
    monkeypatch.setattr("infra.bank.camt.MAX_ENTRIES", 1)
    monkeypatch.setattr("infra.bank.mt940_fields.MAX_ENTRIES", 1)
    assert refusal(GOOD).code == "too_large"
    assert refusal(GOOD_MT).code == "too_large"
    assert refusal(b":20:X" + b"\n" * 17).code == "too_large"


def test_elements_that_are_no_entries(monkeypatch) -> None:
    monkeypatch.setattr("infra.bank.camt._MOST_ELEMENTS", 1_000)
    assert refusal(GOOD.replace(b"</GrpHdr>", b"<x/>" * 1_001 + b"</GrpHdr>")).code == "too_large"
    many = camt("08", ACCOUNT, [Payment(1)] * 200, 0, 200)
    assert many.count(b"</") > 2_000
    assert read_statements(many)[0].difference_minor == 0
    assert refusal(b"<a>" + b"<x/>" * 3_000_000).code == "unknown_format"


@pytest.mark.parametrize(
    "body", [GOOD[:-20], GOOD[:300], GOOD.replace(b"</Acct>", b""), GOOD + b"<x/>", b"<", b"<?xml", b"<!--"]
)
def test_xml_that_is_broken(body: bytes) -> None:
    assert refusal(body).code in ("malformed", "unknown_format")


@pytest.mark.parametrize(
    "body", [b"", b"  \n", b"a;b;c", gzip.compress(GOOD, mtime=0), b"PK\x03\x04zip", b"%PDF-1.7", bytes(100), b"tests"]
)
def test_other_files_are_unknown(body: bytes) -> None:
    assert refusal(body).code == "unknown_format"


def test_a_path_is_no_file_to_read(tmp_path) -> None:
    """The mt-940 library opens a file whose name is what it was given."""
    file = tmp_path / "statement.sta"
    file.write_bytes(GOOD_MT)
    assert refusal(str(file).encode()).code == "unknown_format"


def test_names_stand_in_front_of_refusals() -> None:
    with pytest.raises(UnreadableStatement, match=r"^march\.xml: the file is empty$"):
        read_statements(b"", "march.xml")


def test_nothing_of_a_statement_is_logged(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    read_statements(GOOD_MT)
    refusal(GOOD_MT.replace(b":61:", b":61:Smith"))
    assert caplog.text == ""


PEAK = """
import sys
from infra.bank.reading import read_statements

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

body = open(sys.argv[1], "rb").read()
before = peak()
(statement,) = read_statements(body)
print(len(statement.entries), statement.difference_minor, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell a process's peak memory")
@pytest.mark.parametrize("form", ["camt", "mt940"])
def test_ten_thousand_entries_take_little_memory(form: str, tmp_path) -> None:
    payments = [Payment(n, end_to_end=f"E{n}", text=f"Invoice RE-{n}", name="Somebody") for n in range(1, 10_001)]
    closing = sum(payment.amount_minor for payment in payments)
    body = camt("08", ACCOUNT, payments, 0, closing) if form == "camt" else mt940(ACCOUNT, payments, 0, closing)
    file = tmp_path / form
    file.write_bytes(body)
    run = subprocess.run([sys.executable, "-c", PEAK, str(file)], cwd=ROOT, capture_output=True, check=True, text=True)
    entries, difference, kilobytes = map(int, run.stdout.split())
    assert (entries, difference) == (10_000, 0)
    assert kilobytes < MOST_KILOBYTES


SEEDS = [GOOD, *OTHERS, GOOD_MT, DUTCH, GOOD_MT + GOOD_MT, GOOD.decode().encode("utf-16"), with_head(LAUGHS)]


def outcome(body: bytes) -> tuple[tuple[BankStatement, ...], UnreadableStatement | None]:
    try:
        return read_statements(body), None
    except UnreadableStatement as problem:
        return (), problem


def reads_or_refuses(body: bytes) -> None:
    statements, problem = outcome(body)
    if problem is not None:
        assert problem.code.isidentifier()
        assert str(problem).isprintable()
        return
    assert statements
    for statement in statements:
        assert statement.account
        assert len(statement.currency) == 3
        assert [entry.index for entry in statement.entries] == list(range(1, len(statement.entries) + 1))


@settings(max_examples=300)
@given(st.binary(max_size=300))
@example(b":61:")
@example(b":25:\n:60F:C000000EUR1,")
@example(b":20:\n:25:1\n:60F:C000101EUR1,\n:61:000230C1,NTRF\n:86:")
def test_any_bytes(body: bytes) -> None:
    reads_or_refuses(body)
    reads_or_refuses(b":20:X\n:25:1\n:60F:C260101EUR1,\n:61:" + body)
    reads_or_refuses(b":20:X\n:25:1\n:60F:C260101EUR1,\n:61:260101C1,NTRF\n:86:" + body)
    reads_or_refuses(b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'>" + body)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=6),
)
def test_samples_with_holes_and_noise(seed: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    body = seed
    for at, length, noise in cuts:
        start = at % (len(body) + 1)
        body = body[:start] + noise + body[start + length :]
    reads_or_refuses(body)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_samples_with_other_digits_and_lines(seed: bytes, data: st.DataObject) -> None:
    """Mutations that stay near to a statement: lines and elements swapped, doubled or dropped, texts replaced."""
    lines = seed.replace(b"><", b">\n<").splitlines(keepends=True)
    order = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=4))
    for at in order:
        what = data.draw(st.sampled_from(("drop", "double", "swap", "digits")))
        at %= len(lines)
        other = data.draw(st.integers(0, len(lines) - 1))
        if what == "drop":
            lines[at] = b""
        elif what == "double":
            lines[at] *= 2
        elif what == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        else:
            old, new = data.draw(
                st.sampled_from(((b"0", b"9"), (b"2", b""), (b",", b"."), (b"EUR", b"eur"), (b"C", b"RC")))
            )
            lines[at] = lines[at].replace(old, new)
    reads_or_refuses(b"".join(lines))
