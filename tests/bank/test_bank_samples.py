"""Every published sample of a bank is read, or refused for the reason that is true of it."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from infra.bank.reading import UnreadableStatement, read_statements

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT.parent / "shared" / "data" / "bank"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder shared/data/bank is absent"),
]

READ: dict[str, tuple[int, int, list[int | None]]] = {
    # file: statements, entries, what each statement is off by (None: no closing balance)
    "camt053.v2.all-balance-types.xml": (1, 1, [582]),  # 1.01 + 8.85 - 4.04, made up by hand
    "camt053.v2.five.decimals.xml": (1, 1, [-5]),  # 18.150 + 8.850 - 27.050
    "0708271685_09022020_164516.940.txt": (31, 8, [0] * 31),
    "details_60-63.sta": (1, 1, [-23_401]),  # 12345,12 - 233,15 - 12345,98
    "generic.sta": (2, 2, [0, 0]),
    "gv_codes.sta": (1, 2, [None]),
    "long_statement_number.sta": (1, 0, [0]),
    "mt940.sta": (3, 16, [0, 0, 0]),
    "overly_long_details.sta": (1, 1, [-23_401]),
    "raphaelm.sta": (3, 9, [0, 0, 0]),  # a page in two, :62M: without a currency
    "sepa_snippet.sta": (2, 11, [0, -30_008]),
    "sns.sta": (2, 2, [0, 0]),
    "transaction_details_wrapped.sta": (1, 1, [0]),
    "whitespace.sta": (1, 1, [-23_401]),
    "wrapped_timestamp.sta": (1, 1, [0]),
}

REFUSED = {
    "camt053.v2.minimal.ultimate.xml": ("mixed_currencies", "found EUR, SEK"),  # OPBD in EUR, CLBD in SEK
    "camt053.v4.xml": ("mixed_currencies", "found EUR, SEK"),
    "mt942.sta": ("not_a_statement", "MT942 is an interim transaction report"),
    "mt942.sta.2": ("not_a_statement", "MT942 is an interim transaction report"),
    "account_balance_credit.sta": ("malformed", "line 1: expected an account"),  # nothing but :60F:
    "account_identification_legacy.sta": ("no_balance", "has no balance"),  # nothing but :25:
    "amount_formats.sta": ("malformed", "line 2, field :60F:: expected one :60:"),  # six opening balances
    "available_balance.sta": ("malformed", "expected an account"),  # nothing but :64:
    "empty_86.sta": ("malformed", "expected an account"),  # nothing but :86:
    "empty_line.sta": ("malformed", "line 2: expected an account"),  # nothing but :20:
    "empty_non_swift.sta": ("unknown_format", "neither camt.053 nor MT940"),  # nothing but :NS:
    "invalid_statement.sta": ("unknown_format", "neither camt.053 nor MT940"),  # ten numbers
    "reference.sta": ("malformed", "expected an account"),  # nothing but :20:
    "sepa_snippet_broken.sta": ("malformed", "line 6, field :25:: expected one account"),  # :25: in place of :86:
    "sparkassen.sta": ("malformed", "expected an account"),  # nothing but :61: and :86:
    "statement_details.sta": ("malformed", "expected an account"),  # nothing but :61: and :86:
    "statement_line.sta": ("malformed", "expected an account"),  # nothing but :61:
    "statement_number.sta": ("malformed", "expected an account"),  # nothing but :28C:
}


def sample(name: str) -> bytes:
    (found,) = SAMPLES.glob(f"*/{name}")
    return found.read_bytes()


def test_no_sample_is_left_out() -> None:
    files = {path.name for path in SAMPLES.glob("*/*") if path.suffix != ".xsd" and path.name != "LICENSE"}
    assert files == READ.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", READ)
def test_a_sample_is_read(name: str) -> None:
    statements = read_statements(sample(name), name)
    off = [each.difference_minor if each.closing_minor is not None else None for each in statements]
    assert (len(statements), sum(len(each.entries) for each in statements), off) == READ[name]


@pytest.mark.parametrize("name", REFUSED)
def test_a_sample_is_refused(name: str) -> None:
    code, reason = REFUSED[name]
    with pytest.raises(UnreadableStatement) as refusal:
        read_statements(sample(name), name)
    assert refusal.value.code == code
    assert str(refusal.value).startswith(f"{name}: ")
    assert reason in str(refusal.value)


def cents(amount: str) -> int:
    return int(Decimal(amount.replace(",", ".").rstrip(".")) * 100)


@pytest.mark.parametrize("name", [name for name in READ if not name.endswith(".xml")])
def test_sums_are_those_of_the_raw_file(name: str) -> None:
    """Money, reckoned once more by three patterns on the raw text that share nothing with the reader."""
    text = sample(name).decode().replace("\r", "")
    raw = []
    for message in re.split(r"(?m)^:20:", text)[1:]:
        moved = re.findall(r"(?m)^:61:\d{6}(?:\d{4})?(C|D|RC|RD)[A-Z]?([\d,]+)", message)
        opening, closing = (
            re.findall(rf"(?m)^:{tag}[FM]:(.)\d{{6}}(?:[A-Z]{{3}})?([\d,]+)", message) for tag in (60, 62)
        )
        signed = [cents(amount) * (1 if mark in ("C", "RD") else -1) for mark, amount in moved]
        ends = [cents(each[0][1]) * (1 if each[0][0] == "C" else -1) if each else None for each in (opening, closing)]
        raw.append((ends[0], signed, ends[1]))
    read = [
        (each.opening_minor, [entry.amount_minor for entry in each.entries], each.closing_minor)
        for each in read_statements(sample(name))
    ]
    assert read == raw


@pytest.mark.parametrize("name", [name for name in READ if name.endswith(".xml")])
def test_amounts_are_those_of_the_raw_xml(name: str) -> None:
    text = re.sub(r">\s+<", "><", sample(name).decode())
    amounts = re.findall(r'<Ntry><Amt Ccy="EUR">([\d.]+)</Amt><CdtDbtInd>CRDT', text)
    (opening,) = re.findall(r'OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">([\d.]+)</Amt><CdtDbtInd>CRDT', text)
    (closing,) = re.findall(r'CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">([\d.]+)</Amt><CdtDbtInd>CRDT', text)
    (statement,) = read_statements(sample(name))
    assert [entry.amount_minor for entry in statement.entries] == [cents(amount) for amount in amounts]
    assert (statement.opening_minor, statement.closing_minor) == (cents(opening), cents(closing))


def test_a_german_entry_in_full() -> None:
    """Subfields, SEPA tags and wrapped lines as a bank writes them."""
    first, second = read_statements(sample("sepa_snippet.sta"))
    entry = first.entries[0]
    assert (entry.booked_on, entry.valued_on, entry.amount_minor) == ("2007-09-04", "2007-09-07", 50_990_05)
    assert entry.end_to_end == "EndToEndId TFNR 22 004 00001"
    assert entry.text == "Verw CTSc-01 BC-PPP TFNr 22 004"
    assert (entry.party_name, entry.party_iban) == ("KARL KAUFMANN", "DE14508800500194785000")
    assert (entry.bank_reference, entry.code) == ("0724710333343453", "NTRF/166")
    returned = second.entries[0]
    assert (returned.end_to_end, returned.return_reason) == ("TFNR 40001 00005", "914")


def test_a_dutch_entry_in_full() -> None:
    """The other side's account in :61:, its name in the line below, both once more before the text."""
    entry = read_statements(sample("0708271685_09022020_164516.940.txt"))[28].entries[0]
    assert (entry.party_name, entry.party_iban) == ("transfer solutions bv", "NL25INGB9999999999")
    assert entry.text == (
        "2020-01-28T14:32:46-000000000000089-NL25INGB9999999999-Transfer Solutions BV-DIVIDEND 28/01/2020"
    )
    assert entry.end_to_end == ""


def test_a_time_of_day_that_wraps_is_no_field() -> None:
    (statement,) = read_statements(sample("wrapped_timestamp.sta"))
    assert "12-09-2014T16:26:37" in statement.entries[0].text
    assert statement.entries[0].valued_on == "2016-02-29"  # the file says 30 February
