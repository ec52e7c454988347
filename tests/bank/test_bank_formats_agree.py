"""The same payments as camt.053 02, 04, 08 and as MT940 are the same entries."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bank.reading import read_statements
from models.banking.statement import BankEntry, BankStatement
from tests.bank.statement_files import ACCOUNT, VERSIONS, Payment, camt, mt940, total

FORMATS = (*VERSIONS, "MT940")

PAYMENTS = (
    Payment(
        123_450,
        reference="2026030200017",
        end_to_end="PAY-2026-0001 WITH BLANKS AND ALL",
        text="Invoice RE-2026-1001 and RE-2026-1002 less 2 % cash discount, thank you",
        name="Muster & Söhne Großhandelsgesellschaft",
        iban="DE02120300000000202051",
    ),
    Payment(5, booked_on="2026-03-01", valued_on="2026-02-27", text="RE-7", name="K", iban="NL91ABNA0417164300"),
    Payment(-99_999_999_99, end_to_end="OUT-1", name="Supplier S.p.A.", iban="IT60X0542811101000000123456"),
    Payment(-4_200, end_to_end="DD-77", mandate="MANDATE-77", reversal=True, text="returned", name="A customer"),
    Payment(1_190, reversal=True, text="charged twice", name="The bank"),
    Payment(18_000, structured="RF18539007547034", name="Reference Ltd", iban="GB82WEST12345698765432"),
    Payment(97_500, charges_minor=250, original="USD1234.50", text="abroad", name="Foreign Inc."),
)


def read(form: str, payments: tuple[Payment, ...], opening: int, currency: str = "EUR") -> BankStatement:
    closing = opening + total(payments)
    if form == "MT940":
        body = mt940(ACCOUNT, payments, opening, closing, number="12", currency=currency)
    else:
        body = camt(form, ACCOUNT, payments, opening, closing, number="12", currency=currency)
    (statement,) = read_statements(body)
    return statement


def without_dialect(entry: BankEntry) -> BankEntry:
    """What remains of an entry without what a format words in its own way."""
    text = "" if entry.text == entry.structured else entry.text
    return replace(entry, code="", text="" if text == "BOOKING" else text)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_what_was_paid(form: str) -> None:
    statement = read(form, PAYMENTS, 10_000_000_00)
    assert statement.source == ("MT940" if form == "MT940" else f"camt.053.001.{form}")
    assert (statement.account, statement.currency, statement.number) == (ACCOUNT, "EUR", "12")
    assert (statement.opened_on, statement.closed_on) == ("2026-03-01", "2026-03-02")
    assert statement.opening_minor == 10_000_000_00
    assert statement.difference_minor == 0
    assert [entry.index for entry in statement.entries] == list(range(1, len(PAYMENTS) + 1))
    for entry, paid in zip(statement.entries, PAYMENTS, strict=True):
        assert without_dialect(entry) == BankEntry(
            index=entry.index,
            amount_minor=paid.amount_minor,
            currency="EUR",
            booked_on=paid.booked_on,
            valued_on=paid.valued_on,
            bank_reference=paid.reference,
            end_to_end=paid.end_to_end,
            structured=paid.structured,
            text=paid.text,
            party_name=paid.name,
            party_iban=paid.iban,
            is_reversal=paid.reversal,
            charges_minor=paid.charges_minor,
            mandate=paid.mandate,
            original_amount_minor=123_450 if paid.original else 0,
            original_currency="USD" if paid.original else "",
        )


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("currency", "opening"), [("JPY", -5_000), ("KWD", 1), ("CHF", 0), ("EUR", -1)])
def test_minor_units_follow_the_currency(form: str, currency: str, opening: int) -> None:
    statement = read(form, (Payment(1_234_567), Payment(-1)), opening, currency)
    assert [entry.amount_minor for entry in statement.entries] == [1_234_567, -1]
    assert (statement.opening_minor, statement.closing_minor) == (opening, opening + 1_234_566)


AMOUNTS = st.integers(-(10**12), 10**12).filter(bool)
WORDS = st.lists(st.text("ABCDEFGHIJKLMNOPRSTUVWXYZabcdefgh0123456789.-/", min_size=1, max_size=30), max_size=6)
DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2035, 12, 31))


@given(
    st.lists(st.tuples(AMOUNTS, DAYS, st.integers(-150, 150), st.booleans()), max_size=5),
    st.integers(-(10**12), 10**12),
)
def test_any_amounts_and_days_survive(rows: list[tuple[int, date, int, bool]], opening: int) -> None:
    payments = []
    for amount, valued, away, reversal in rows:
        booked = valued + timedelta(days=away)
        payments.append(Payment(amount, booked_on=booked.isoformat(), valued_on=valued.isoformat(), reversal=reversal))
    seen = [read(form, tuple(payments), opening) for form in FORMATS]
    for statement in seen:
        assert statement.difference_minor == 0
        assert [(e.amount_minor, e.booked_on, e.valued_on, e.is_reversal) for e in statement.entries] == [
            (p.amount_minor, p.booked_on, p.valued_on, p.reversal) for p in payments
        ]


@given(WORDS)
def test_texts_survive(words: list[str]) -> None:
    text = " ".join(words)
    said = {form: read(form, (Payment(1, text=text),), 0).entries[0].text for form in FORMATS}
    assert {said[version] for version in VERSIONS} == {text}
    # a subfield of MT940 that ends in a blank is as good as one that a bank cut there
    assert said["MT940"].replace(" ", "") == (text or "BOOKING").replace(" ", "")
