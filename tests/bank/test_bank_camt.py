"""camt.053: which balances and entries count, how a batch is taken apart, and what is refused in which words."""

import pytest

from infra.bank.reading import UnreadableStatement, read_statements
from models.banking.statement import BankStatement
from tests.bank.statement_files import ACCOUNT, VERSIONS, Payment, balance, camt, document, namespace, ntry, stmt, total

BATCH = (
    Payment(1_000, end_to_end="A", text="first", name="Anna", reference="R1"),
    Payment(2_500, end_to_end="B", text="second", name="Ben"),
)


def one(*parts: str, version: str = "08", currency: str = "EUR") -> BankStatement:
    (statement,) = read_statements(document(namespace(version), stmt("".join(parts), currency=currency)))
    return statement


def refusal(body: bytes) -> UnreadableStatement:
    with pytest.raises(UnreadableStatement) as caught:
        read_statements(body)
    return caught.value


def broken(inner: str, version: str = "08") -> UnreadableStatement:
    return refusal(document(namespace(version), stmt(inner)))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_batch_that_adds_up_is_taken_apart(version: str) -> None:
    batch = Payment(3_500, reference="B-77", parts=BATCH)
    (statement,) = read_statements(camt(version, ACCOUNT, [batch, Payment(1)], 0, 3_501))
    assert statement.difference_minor == 0
    first, second, other = statement.entries
    assert [(e.index, e.amount_minor, e.batch) for e in statement.entries] == [
        (1, 1_000, "B-77"),
        (2, 2_500, "B-77"),
        (3, 1, ""),
    ]
    assert [(e.end_to_end, e.text, e.party_name) for e in (first, second)] == [
        ("A", "first", "Anna"),
        ("B", "second", "Ben"),
    ]
    assert other.end_to_end == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_batch_that_does_not_add_up_stays_whole(version: str) -> None:
    batch = Payment(3_501, reference="B-77", parts=BATCH)
    (statement,) = read_statements(camt(version, ACCOUNT, [batch], 0, 3_501))
    (entry,) = statement.entries
    assert (entry.amount_minor, entry.text, entry.batch) == (3_501, "first second", "")
    assert (entry.end_to_end, entry.party_name, entry.bank_reference) == ("", "", "B-77")


def test_a_batch_in_another_currency_stays_whole() -> None:
    inner = ntry("08", Payment(3_500, parts=BATCH))
    head, _, tail = inner.partition("<NtryDtls>")
    assert len(one(head + "<NtryDtls>" + tail.replace('Ccy="EUR"', 'Ccy="USD"')).entries) == 1


def test_details_without_amounts_and_details_of_an_outgoing_batch() -> None:
    inner = ntry("02", Payment(3_500, parts=BATCH))
    assert len(one(inner.replace("TxAmt", "CntrValAmt"), version="02").entries) == 1
    parts = (Payment(-1_000), Payment(-2_500))
    assert [e.amount_minor for e in one(ntry("02", Payment(-3_500, parts=parts)), version="02").entries] == [
        -1_000,
        -2_500,
    ]


def test_a_detail_may_move_the_other_way() -> None:
    """A credit of 15.00 that is 35.00 less a fee of 20.00."""
    parts = (Payment(3_500), Payment(-2_000, text="fee"))
    assert [e.amount_minor for e in one(ntry("08", Payment(1_500, parts=parts))).entries] == [3_500, -2_000]


def test_a_batch_without_a_reference_is_named_by_its_number() -> None:
    statement = one(ntry("08", Payment(1)), ntry("08", Payment(3_500, parts=BATCH)))
    assert [entry.batch for entry in statement.entries] == ["", "2", "2"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_does_not_count(version: str, status: str) -> None:
    entries = [Payment(700), Payment(5_000, status=status)]
    (statement,) = read_statements(camt(version, ACCOUNT, entries, 100, 800))
    assert [entry.amount_minor for entry in statement.entries] == [700]
    assert statement.difference_minor == 0


def test_a_return_keeps_the_roles_of_what_came_back() -> None:
    """A direct debit of ours that a customer's bank gave back goes out, and the customer still is the debtor."""
    (entry,) = one(ntry("08", Payment(-900, reason="AM04", name="Customer", iban="DE02120300000000202051"))).entries
    assert (entry.party_name, entry.party_iban, entry.return_reason) == ("Customer", "DE02120300000000202051", "AM04")
    assert entry.is_reversal is False


def test_we_are_never_our_own_payer() -> None:
    swapped = ntry("08", Payment(900, name="Customer", iban="DE02120300000000202051"))
    swapped = swapped.replace("Dbtr", "XX").replace("Cdtr", "Dbtr").replace("XX", "Cdtr")
    assert one(swapped).entries[0].party_name == "Customer"
    assert one(ntry("08", Payment(900))).entries[0].party_name == ""


def test_the_ultimate_debtor_stands_in_for_a_name() -> None:
    inner = ntry("04", Payment(900)).replace("<RltdPties>", "<RltdPties><UltmtDbtr><Nm>The Buyer</Nm></UltmtDbtr>")
    assert one(inner, version="04").entries[0].party_name == "The Buyer"


def test_the_shape_of_texts_and_references() -> None:
    remittance = (
        "<RmtInf><Ustrd> RE-1 \n  and </Ustrd><Ustrd>RE-2</Ustrd><Strd><RfrdDocInf><Nb>RE-3</Nb></RfrdDocInf>"
        "<CdtrRefInf><Ref>21 00000 00003 13947</Ref></CdtrRefInf></Strd></RmtInf>"
    )
    inner = ntry("08", Payment(900)).replace("<RmtInf></RmtInf>", remittance)
    (entry,) = one(inner).entries
    assert (entry.text, entry.structured) == ("RE-1 and RE-2 RE-3", "21000000000313947")
    twice = remittance.replace("</RmtInf>", "<Strd><CdtrRefInf><Ref>77</Ref></CdtrRefInf></Strd></RmtInf>")
    (entry,) = one(ntry("08", Payment(900)).replace("<RmtInf></RmtInf>", twice)).entries
    assert (entry.text, entry.structured) == ("RE-1 and RE-2 RE-3 21000000000313947 77", "")


def test_an_entry_without_details() -> None:
    head = ntry("08", Payment(900, reference="NONREF")).partition("<NtryDtls>")[0]
    (entry,) = one(head + "<AddtlNtryInf>Interest</AddtlNtryInf></Ntry>").entries
    assert (entry.amount_minor, entry.text, entry.code, entry.bank_reference) == (900, "Interest", "PMNT/RCDT/ESCT", "")


def test_instants_count_by_the_bank_s_day_and_missing_days_are_the_statement_s() -> None:
    inner = ntry("08", Payment(900)).replace(
        "<BookgDt><Dt>2026-03-02</Dt>", "<BookgDt><DtTm>2026-03-02T23:59:59.123+02:00</DtTm>"
    )
    assert one(inner).entries[0].booked_on == "2026-03-02"
    bare = ntry("08", Payment(900)).replace(
        "<BookgDt><Dt>2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-03</Dt></ValDt>", ""
    )
    (entry,) = one(bare, balance("CLBD", 1, "2026-03-05")).entries
    assert (entry.booked_on, entry.valued_on) == ("2026-03-05", "2026-03-05")


@pytest.mark.parametrize(
    ("kinds", "opening", "closing"),
    [
        ("OPBD PRCD CLBD CLAV FWAV ITBD", 1, 3),
        ("PRCD CLBD", 1, 2),
        ("OPBD ITBD", 1, 2),
        ("ITBD CLBD", 1, 2),
        ("ITBD ITBD", 1, 2),
        ("ITBD", None, None),
        ("CLAV OPAV", None, None),
        ("CLBD", None, 1),
        ("OPBD", 1, None),
    ],
)
def test_which_balances_are_the_ends(kinds: str, opening: int | None, closing: int | None) -> None:
    statement = one(*(balance(kind, amount) for amount, kind in enumerate(kinds.split(), 1)))
    assert (statement.opening_minor, statement.closing_minor) == (opening, closing)


def test_balances_may_be_negative_and_need_not_add_up() -> None:
    statement = one(balance("OPBD", -500), balance("CLBD", -700), ntry("08", Payment(100)))
    assert (statement.opening_minor, statement.closing_minor, statement.difference_minor) == (-500, -700, 300)


def test_several_statements_of_several_accounts() -> None:
    other = "DE02120300000000202051"
    parts = [
        stmt(balance("OPBD", n) + ntry("08", Payment(n)) + balance("CLBD", 2 * n), a)
        for n, a in ((5, ACCOUNT), (7, other))
    ]
    found = read_statements(document(namespace("08"), *parts))
    assert [(each.account, each.opening_minor, each.moved_minor, each.difference_minor) for each in found] == [
        (ACCOUNT, 5, 5, 0),
        (other, 7, 7, 0),
    ]


def test_prefixes_envelopes_and_processing_instructions_do_no_harm() -> None:
    body = camt("04", ACCOUNT, [Payment(9, name="A<B")], 1, 10).decode().partition("?>")[2]
    inner = body.replace("<Nm>A&lt;B", "<Nm>A<!-- x --><?php evil ?>&lt;B")
    (statement,) = read_statements(f"<?xml version='1.0'?><?x y?><Envelope><Head/>{inner}</Envelope>".encode())
    assert statement.entries[0].party_name == "A<B"
    prefixed = body.replace("<", "<c:").replace("<c:/", "</c:").replace("xmlns=", "xmlns:c=")
    assert read_statements(prefixed.encode())[0].difference_minor == 0


@pytest.mark.parametrize("amount", ["9.00000", "9", "9.", "+9.0", " 9.00 ", "0000000009.00"])
def test_an_amount_may_have_more_zeros(amount: str) -> None:
    inner = ntry("08", Payment(900)).replace(">9.00<", f">{amount}<", 1)
    assert one(inner).entries[0].amount_minor == 900


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("9.001", "odd_decimals"),
        ("9.00000001", "odd_decimals"),
        *((amount, "malformed") for amount in ("-9.00", "9,00", "", "1e3", "NaN", "٩.00", "9" * 20, "9" * 100)),
    ],
)
def test_an_amount_that_is_none(amount: str, code: str) -> None:
    problem = broken(ntry("08", Payment(900)).replace(">9.00<", f">{amount}<", 1))
    assert problem.code == code
    assert "Ntry/Amt" in str(problem)
    assert str(problem).startswith("line 3")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<CdtDbtInd>CRDT", "<CdtDbtInd>CRED", "expected CRDT or DBIT, found 'CRED'"),
        ('Ccy="EUR"', 'Ccy="Euro"', "expected a currency such as EUR, found 'Euro'"),
        ('Ccy="EUR"', "", "expected a currency such as EUR, found nothing"),
        ("<Dt>2026-03-02", "<Dt>2026-02-30", "expected a day such as 2026-11-21, found '2026-02-30'"),
        ("<Dt>2026-03-02", "<Dt>02.03.2026", "found '02.03.2026'"),
        ("<Sts><Cd>BOOK</Cd></Sts>", "", "expected a status (Sts)"),
        ('<Amt Ccy="EUR">9.00</Amt>', "", "expected an amount (Amt), found none"),
    ],
)
def test_a_refusal_says_what_was_expected(old: str, new: str, words: str) -> None:
    problem = broken(ntry("08", Payment(900)).replace(old, new, 1))
    assert problem.code == "malformed"
    assert words in str(problem)


def test_one_statement_has_one_currency() -> None:
    foreign = ntry("08", Payment(900), "USD")
    assert broken(balance("OPBD", 5) + foreign).code == "mixed_currencies"
    assert broken(balance("OPBD", 5) + balance("CLBD", 5, currency="SEK")).code == "mixed_currencies"
    assert broken(foreign).code == "mixed_currencies"  # the account's own currency is EUR
    assert one(foreign, currency="").currency == "USD"
    assert refusal(document(namespace("08"), stmt("", currency=""))).code == "no_balance"
    assert one("").entries == ()


def test_a_document_without_a_statement_or_account() -> None:
    assert refusal(document(namespace("08"))).code == "malformed"
    assert refusal(document(namespace("08"), "<Stmt><Id>1</Id></Stmt>")).code == "malformed"


@pytest.mark.parametrize("version", ["01", "03", "05", "06", "07", "09", "13"])
def test_other_versions_are_refused_by_name(version: str) -> None:
    problem = refusal(document(namespace(version), stmt("")))
    assert problem.code == "unsupported_version"
    assert f"camt.053.001.{version} is not read" in str(problem)


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ("camt.052.001.08", "an intraday report"),
        ("camt.054.001.02", "a debit and credit notification"),
        ("pain.001.001.09", "another message"),
    ],
)
def test_other_messages_are_named(message: str, what: str) -> None:
    problem = refusal(document(f"urn:iso:std:iso:20022:tech:xsd:{message}", stmt("")))
    assert problem.code == "not_a_statement"
    assert f"{message} is {what}" in str(problem)


@pytest.mark.parametrize("body", [b"<a/>", b"<Document/>", b"<Document xmlns='urn:x'/>", b"<html><body/></html>"])
def test_other_xml_is_unknown(body: bytes) -> None:
    assert refusal(body).code == "unknown_format"


def test_charges_and_the_original_amount() -> None:
    entries = [
        Payment(900, charges_minor=100, original="USD10.00"),
        Payment(5, original="EUR1.00"),
        Payment(6, original="USD1.001"),
    ]
    (statement,) = read_statements(camt("08", ACCOUNT, entries, 0, total(entries)))
    assert [(e.charges_minor, e.original_amount_minor, e.original_currency) for e in statement.entries] == [
        (100, 1_000, "USD"),
        (0, 0, ""),
        (0, 0, ""),  # an amount beside the point with odd decimals is left out
    ]
    unpaid = ntry("08", Payment(900, charges_minor=100)).replace("</Rcrd>", "<ChrgInclInd>false</ChrgInclInd></Rcrd>")
    assert one(unpaid).entries[0].charges_minor == 0
