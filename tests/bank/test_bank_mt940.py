"""MT940: reversals, pages, the dialects of :86:, and what is refused in which words."""

import pytest

from infra.bank.reading import UnreadableStatement, read_statements
from models.banking.statement import BankEntry, BankStatement
from tests.bank.statement_files import ACCOUNT, Payment, mt940

HEAD = f":20:X\n:25:{ACCOUNT}\n:28C:7/1\n:60F:C260301EUR100,00\n"
FOOT = "\n:62F:C260302EUR100,00\n-\n"


def one(lines: str) -> BankStatement:
    (statement,) = read_statements((HEAD + lines + FOOT).encode())
    return statement


def entry(line: str, *details: str) -> BankEntry:
    text = f":61:{line}" + ("\n:86:" + "\n".join(details) if details else "")
    (found,) = one(text).entries
    return found


def refusal(text: str) -> UnreadableStatement:
    with pytest.raises(UnreadableStatement) as caught:
        read_statements(text.encode())
    return caught.value


@pytest.mark.parametrize(
    ("mark", "amount", "reversal"),
    [("C", 1_050, False), ("D", -1_050, False), ("RC", -1_050, True), ("RD", 1_050, True),
     ("CR", 1_050, False), ("DR", -1_050, False), ("RCR", -1_050, True), ("c", 1_050, False), ("rd", 1_050, True)],
)  # fmt: skip
def test_marks_and_funds_codes(mark: str, amount: int, reversal: bool) -> None:
    found = entry(f"2603020302{mark}10,5NTRFNONREF//B1")
    assert (found.amount_minor, found.is_reversal, found.bank_reference, found.code) == (amount, reversal, "B1", "NTRF")


@pytest.mark.parametrize(
    ("days", "booked", "valued"),
    [
        ("2603020301", "2026-03-01", "2026-03-02"),
        ("260302", "2026-03-02", "2026-03-02"),
        ("260302    ", "2026-03-02", "2026-03-02"),
        ("2601021231", "2025-12-31", "2026-01-02"),
        ("2512310102", "2026-01-02", "2025-12-31"),
        ("2511300110", "2026-01-10", "2025-11-30"),  # the mt-940 library says 2025-01-10
        ("2602300302", "2026-03-02", "2026-02-28"),
        ("2402300301", "2024-03-01", "2024-02-29"),
        ("2403010230", "2024-02-29", "2024-03-01"),
    ],
)
def test_booking_days_have_no_year_and_february_has_thirty(days: str, booked: str, valued: str) -> None:
    found = entry(f"{days}C1,NTRFNONREF")
    assert (found.booked_on, found.valued_on) == (booked, valued)


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        ("1,", 100),
        ("1", 100),
        ("0,1", 10),
        ("0000000000000000001,62", 162),
        (",1", None),
        ("12,345", None),
        ("1.234,00", None),
        ("1,2,3", None),
        ("9" * 16, None),
    ],
)
def test_amounts_are_taken_whole_or_not_at_all(amount: str, minor: int | None) -> None:
    if minor is None:
        code = "odd_decimals" if amount == "12,345" else "malformed"
        assert refusal(f"{HEAD}:61:260302C{amount}NTRFNONREF{FOOT}").code == code
    else:
        assert entry(f"260302C{amount}NTRFNONREF").amount_minor == minor


def test_a_line_without_a_kind_is_not_lost() -> None:
    """The mt-940 library writes the next line over it."""
    assert [e.amount_minor for e in one(":61:260302C1,00\n:61:260302C2,00\n:61:260302D3,00").entries] == [
        100,
        200,
        -300,
    ]


def test_pages_are_statements_of_their_own() -> None:
    first = mt940(ACCOUNT, [Payment(100)], 0, 100, number="7", kinds=("60F", "62M"))
    second = mt940(ACCOUNT, [Payment(-30)], 100, 70, number="7", page="2", kinds=("60M", "62F"))
    pages = read_statements(first + second)
    assert [(p.number, p.sequence, p.opening_minor, p.closing_minor, p.difference_minor) for p in pages] == [
        ("7", "1", 0, 100, 0),
        ("7", "2", 100, 70, 0),
    ]
    together = first.rstrip(b"-\r\n") + b"\r\n" + second.partition(b":60M")[1] + second.partition(b":60M")[2]
    assert [(p.account, p.opening_minor, p.closing_minor) for p in read_statements(together)] == [
        (ACCOUNT, 0, 100),
        (ACCOUNT, 100, 70),
    ]


def test_headers_between_messages_belong_to_no_field() -> None:
    message = mt940(ACCOUNT, [Payment(100, text="Hello")], 0, 100).decode()
    swift = "{1:F01AAAABBCCAXXX0000000000}{2:O940AAAABBCCXXXXN}{3:}{4:\r\n" + message.replace("\r\n-", "\r\n-}{5:}")
    plain = f"AAAABBCC\r\n940\r\nAAAABBCC\r\n{message}"
    for form in (swift * 2, plain * 2, "\x01\r\n" + message * 2 + "\x03"):
        found = read_statements(form.encode())
        assert [(each.entries[0].text, each.message, each.difference_minor) for each in found] == [("Hello", "", 0)] * 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_letters_of_any_encoding(encoding: str) -> None:
    text = f"{HEAD}:61:260302C1,NTRFNONREF\n:86:Müller & Søn{FOOT}"
    assert read_statements(text.encode(encoding))[0].entries[0].text == "Müller & Søn"


def test_a_message_of_the_bank_is_no_text_of_the_last_entry() -> None:
    text = f"{HEAD}:61:260302C1,NTRFNONREF\n:86:mine\n:62F:C260302EUR101,00\n:86:our terms change\n-\n"
    (statement,) = read_statements(text.encode())
    assert (statement.entries[0].text, statement.message) == ("mine", "our terms change")


def test_a_hyphen_that_did_not_fit_is_text_and_another_is_the_end() -> None:
    assert entry("260302C1,NTRFNONREF", "x" * 65, "-").text == "x" * 65 + "-"
    assert entry("260302C1,NTRFNONREF", "x", "-").text == "x"


def test_a_tag_that_a_bank_broke_and_other_line_ends() -> None:
    """As Sparkassen wrote it: the amount and the tag each stand on a line of their own."""
    text = f"{HEAD}:61:2611261126CR\n30,00N062NONREF\n:\n86:166?20SVWZ+Test{FOOT}"
    for form in (text, text.replace("\n", "\r\n"), "\r" + text.replace("\n", "\r"), "\x01" + text):
        (found,) = read_statements(form.encode())[0].entries
        assert (found.amount_minor, found.text, found.code) == (3_000, "Test", "N062/166")


def test_german_subfields() -> None:
    found = entry(
        "2603020302DR10,00NTRFKREF+//B7",
        "109?00RUECKLASTSCHRIFT?109?20EREF+RE-2026-1001-AND-MORE-T?21EXT?22MREF+M 1?23CRED+DE98",
        "ZZZ09999999999?24SVWZ+why?99not?25at all?60more text?61ABWA+Someone?30COBADEFF?31DE0212",
        "0300000000202051?32Max Mustermann und Soehne G?33mbH?34912",
    )
    assert (found.end_to_end, found.mandate, found.return_reason) == ("RE-2026-1001-AND-MORE-TEXT", "M 1", "912")
    assert found.text == "why?99not at all more text"
    assert (found.party_name, found.party_iban) == ("Max Mustermann und Soehne GmbH", "DE02120300000000202051")
    assert found.code == "NTRF/109"


def test_the_return_code_is_one_only_for_returns() -> None:
    assert entry("260302C1,NTRFNONREF", "166?20SVWZ+x?34992").return_reason == ""


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (
            ("/TRTP/SEPA/IBAN/NL91ABNA0417164300/BIC/ABNANL2A/NAME/J.", "Jansen/REMI/Factuur 2026-77/EREF/NOTPROVIDED"),
            ("J. Jansen", "NL91ABNA0417164300", "Factuur 2026-77", "", ""),
        ),
        (
            ("/EREF/E2E-1//CNTP/NL91ABNA0417164300/ABNANL2A/J. Jansen///REMI/USTD//RE-9/",),
            ("J. Jansen", "NL91ABNA0417164300", "RE-9", "E2E-1", ""),
        ),
        (("/ORDP//NAME/Jansen BV/REMI/STRD/CUR/9001123412341234/",), ("Jansen BV", "", "", "", "9001123412341234")),
        (("/RTRN/AC04/EREF/X1/REMI/closed",), ("", "", "closed", "X1", "")),
        (("Just a text / with / slashes",), ("", "", "Just a text / with / slashes", "", "")),
    ],
)
def test_dutch_words(details: tuple[str, ...], expected: tuple[str, ...]) -> None:
    found = entry("260302C1,NTRFNONREF", *details)
    assert (found.party_name, found.party_iban, found.text, found.end_to_end, found.structured) == expected
    assert found.return_reason == ("AC04" if "RTRN" in details[0] else "")


def test_amounts_beside_the_point() -> None:
    found = entry("260302C90,00NTRFNONREF\n/OCMT/USD100,5//CHGS/EUR2,50/")
    assert (found.original_amount_minor, found.original_currency, found.charges_minor) == (10_050, "USD", 250)
    assert entry("260302C90,00NTRFNONREF\n/OCMT/USD1,005/").original_currency == ""
    assert found.text == ""


@pytest.mark.parametrize(
    ("account", "read"),
    [
        ("70011110/4005287001EUR", "70011110/4005287001"),
        ("NL91ABNA0417164300EUR", "NL91ABNA0417164300"),
        ("NL91ABNA0417164300 EUR", "NL91ABNA0417164300"),
        ("DEUTDEFF/DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("BPHKPLPK/320000546101", "BPHKPLPK/320000546101"),
    ],
)
def test_accounts(account: str, read: str) -> None:
    assert read_statements((HEAD.replace(ACCOUNT, account) + FOOT).encode())[0].account == read


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (HEAD.replace(ACCOUNT, "\x00"), "malformed", "line 1: expected an account (:25:)"),
        (HEAD.replace(":60F:C260301EUR100,00\n", ""), "no_balance", "line 2, field :25:"),
        (
            HEAD.replace("C260301", "X260301"),
            "malformed",
            "line 4, field :60F:: expected a balance such as C261121EUR1234,50",
        ),
        (HEAD.replace("260301", "261301"), "malformed", "found '2026-13-01'"),
        (HEAD.replace("EUR", ""), "malformed", "expected a currency such as EUR, found none"),
        (HEAD + ":62F:C260301USD1,", "mixed_currencies", "expected EUR as in the opening balance, found USD"),
        (HEAD + ":61:hello", "malformed", "line 5, field :61:: expected a statement line"),
        (HEAD + ":61:2603021399C1,NTRF", "malformed", "expected a booking day such as 1121, found '1399'"),
        (HEAD + ":61:260302EC1,NTRF", "malformed", "expected a statement line"),
        (HEAD + ":62F:C260301EUR1,\n:61:260302C1,NTRF", "malformed", "behind the closing balance"),
        ("{1:F01}{2:O942AAAA}{4:\n" + HEAD, "not_a_statement", "MT942 is an interim transaction report"),
        ("{1:F01}{2:I941AAAA}{4:\n" + HEAD, "not_a_statement", "MT941 is a balance report"),
        ("{1:F01}{2:O950AAAA}{4:\n" + HEAD, "unsupported_version", "MT950 is not read"),
    ],
)
def test_a_refusal_says_what_was_expected(text: str, code: str, words: str) -> None:
    problem = refusal(text)
    assert problem.code == code
    assert words in str(problem)


def test_a_page_without_closing_balance_is_read() -> None:
    (statement,) = read_statements((HEAD + ":61:260302C1,NTRF").encode())
    assert (statement.opening_minor, statement.closing_minor, statement.moved_minor) == (10_000, None, 100)
