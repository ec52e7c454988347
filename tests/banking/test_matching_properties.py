"""What holds for any book and any statement: money is conserved, currencies do not mix, order of filling is nothing."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.banking.matching import RULES, Book
from models.banking.matching_values import Allocation, Match, OpenInvoice, Payer, Tolerance
from models.banking.references import creditor_reference
from models.banking.statement import BankEntry
from models.banking.subsets import MOST_AMOUNTS, SumTable

CUSTOMERS = ("nord", "mueller", "rossi")
CURRENCIES = ("EUR", "EUR", "EUR", "USD")
DAYS = ("2026-03-01", "2026-03-12", "2026-04-01")
TOLERANCE = Tolerance({"EUR": 300})
amounts = st.sampled_from((1, 50, 97_00, 100_00, 100_00, 200_00, 300_00)) | st.integers(1, 500_00)


@st.composite
def open_invoices(draw: st.DrawFn) -> list[OpenInvoice]:
    serials = draw(st.lists(st.integers(1, 400), min_size=1, max_size=9, unique=True))
    found = []
    for serial in serials:
        total = draw(amounts)
        series = draw(st.sampled_from(("", "", "", "I-")))
        found.append(
            OpenInvoice(
                f"{series}2026-{serial:06d}",
                f"D-{serial}",
                draw(st.sampled_from(CUSTOMERS)),
                draw(st.sampled_from(CURRENCIES)),
                draw(st.sampled_from((total, total, total, 0, total // 2))),
                "2026-02-01",
                draw(st.sampled_from(DAYS)),
                discount_minor=draw(st.sampled_from((0, 0, 3_00))),
                discount_until=draw(st.sampled_from(DAYS)),
                total_minor=draw(st.sampled_from((0, total))),
            )
        )
    return found


payers = st.lists(
    st.builds(
        Payer,
        st.sampled_from(CUSTOMERS),
        st.lists(st.sampled_from(("Nord GmbH", "Müller AG", "Rossi")), max_size=2).map(tuple),
        st.lists(st.sampled_from(("DE1", "DE2", "DE3")), max_size=2).map(tuple),
    ),
    max_size=4,
)


@st.composite
def entries(draw: st.DrawFn, invoices: Sequence[OpenInvoice]) -> list[BankEntry]:
    found = []
    for index in range(draw(st.integers(1, 8))):
        named = draw(st.lists(st.sampled_from(invoices), max_size=3))
        owed = sum(one.open_minor for one in named) or 1
        amount = draw(st.sampled_from((owed, owed, owed, owed - 1, owed - 3_00, owed + 5, -owed)) | amounts)
        numbers = [one.number for one in named]
        is_referenced = draw(st.booleans())
        spelled = draw(st.sampled_from(("{0}", "{1}", "{2}")))
        found.append(
            BankEntry(
                index + 1,
                amount,
                draw(st.sampled_from(("EUR", "EUR", "EUR", "EUR", "USD"))),
                "2026-03-12",
                "2026-03-12",
                end_to_end=draw(st.sampled_from(("", "E1", "E2"))),
                structured=creditor_reference(numbers[0]) if numbers and is_referenced else "",
                text=draw(st.sampled_from((" ", ", ", " - "))).join(
                    spelled.format(one, one.replace("-", " "), one[-6:]) for one in numbers
                )
                + draw(st.sampled_from(("", " 2026", " Tel +49 2026 000001", " 12.03.2026"))),
                party_name=draw(st.sampled_from(("", "Nord GmbH", "MUELLER AG", "Müller"))),
                party_iban=draw(st.sampled_from(("", "DE1", "DE2", "DE9"))),
                is_reversal=draw(st.booleans()) and draw(st.booleans()),
                charges_minor=draw(st.sampled_from((0, 0, 1))),
            )
        )
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[OpenInvoice], list[Payer], list[BankEntry]]:
    invoices = draw(open_invoices())
    return invoices, draw(payers), draw(entries(invoices))


Case = tuple[list[OpenInvoice], list[Payer], list[BankEntry]]


def check_parts(parts: Sequence[Allocation], entry: BankEntry, by_number: dict[str, OpenInvoice], ours: Book) -> None:
    assert sum(part.applied_minor + part.excess_minor for part in parts) == entry.amount_minor
    for part in parts:
        invoice = by_number[part.invoice]
        assert (invoice.currency, invoice.customer, invoice.deal_id) == (entry.currency, part.customer, part.deal_id)
        if entry.amount_minor > 0:
            lowered = part.applied_minor + part.charges_minor + part.discount_minor
            assert lowered <= ours.open_minor(part.invoice)
            assert min(part.applied_minor, part.excess_minor, part.charges_minor, part.discount_minor) >= 0
            assert part.discount_minor in (0, invoice.discount_minor)
    numbers = [part.invoice for part in parts]
    assert len(numbers) == len(set(numbers))


def check(found: Match, entry: BankEntry, invoices: list[OpenInvoice], ours: Book) -> None:
    by_number = {invoice.number: invoice for invoice in invoices}
    assert found.rule in ("", *RULES)
    assert found.reason
    if found.rule in ("outgoing", "nothing_moved"):
        assert found.allocations == ()
    elif found.rule:
        assert found.candidates == ()
        check_parts(found.allocations, entry, by_number, ours)
        assert (found.rule == "returned") == (entry.amount_minor < 0)
    else:
        assert found.allocations == ()
        assert len(found.candidates) <= 5
        scores = [candidate.score for candidate in found.candidates]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 100 for score in scores)
        for candidate in found.candidates:
            assert candidate.why
            check_parts(candidate.allocations, entry, by_number, ours)


@settings(max_examples=200)
@given(cases())
@pytest.mark.uncounted
def test_every_match_of_any_statement(case: Case) -> None:
    invoices, known, statement = case
    ours = Book(invoices, known, TOLERANCE)
    for entry in statement:
        found = ours.match(entry, "EUR")
        check(found, entry, invoices, ours)
        assert ours.match(entry, "EUR") == found
        before = {invoice.number: ours.open_minor(invoice.number) for invoice in invoices}
        if found.rule:
            ours.take(found, entry)
        for part in found.allocations:
            before[part.invoice] -= part.applied_minor + part.charges_minor + part.discount_minor
        assert {invoice.number: ours.open_minor(invoice.number) for invoice in invoices} == before


@given(cases(), st.randoms(use_true_random=False))
@pytest.mark.uncounted
def test_the_order_in_which_the_book_was_filled_is_nothing(case: Case, random: Random) -> None:
    invoices, known, statement = case
    shuffled, others = list(invoices), list(known)
    random.shuffle(shuffled)
    random.shuffle(others)
    ours, theirs = Book(invoices, known, TOLERANCE), Book(shuffled, others, TOLERANCE)
    for entry in statement:
        found = ours.match(entry, "EUR")
        assert theirs.match(entry, "EUR") == found
        if found.rule:
            ours.take(found, entry)
            theirs.take(found, entry)


@given(cases())
def test_a_second_equal_payment_does_not_pay_a_settled_invoice_again(case: Case) -> None:
    invoices, known, statement = case
    for entry in statement:
        ours = Book(invoices, known, TOLERANCE)
        found = ours.match(entry, "EUR")
        if not found.rule or entry.amount_minor <= 0:
            continue
        ours.take(found, entry)
        settled = {part.invoice for part in found.allocations if not ours.open_minor(part.invoice)}
        again = ours.match(entry, "EUR")
        assert not settled & {part.invoice for part in again.allocations}


@given(cases(), st.integers(1, 10_000_00))
@pytest.mark.uncounted
def test_a_payment_that_comes_back_leaves_everything_as_it_was(case: Case, nonce: int) -> None:
    invoices, known, statement = case
    ours = Book(invoices, known, TOLERANCE)
    for entry in statement:
        came_in = replace(entry, end_to_end="", bank_reference=f"B-{nonce}")
        found = ours.match(came_in, "EUR")
        if not found.rule or came_in.amount_minor <= 0:
            continue
        before = {invoice.number: ours.open_minor(invoice.number) for invoice in invoices}
        ours.take(found, came_in)
        went_out = replace(came_in, amount_minor=-came_in.amount_minor, return_reason="AM04")
        undone = ours.match(went_out, "EUR")
        assert undone.rule == "returned"
        ours.take(undone, went_out)
        assert {invoice.number: ours.open_minor(invoice.number) for invoice in invoices} == before
        assert ours.match(came_in, "EUR") == found


@given(st.lists(st.integers(1, 60), max_size=MOST_AMOUNTS), st.integers(1, 200))
def test_sums_are_all_found_or_two_of_them(some: list[int], target: int) -> None:
    ways: dict[tuple[int, int], int] = {(0, 0): 1}
    for amount in some:
        for (total, size), count in list(ways.items()):
            if size < 6:
                key = (total + amount, size + 1)
                ways[key] = ways.get(key, 0) + count
    expected = sum(count for (total, size), count in ways.items() if total == target and size >= 2)
    sums = SumTable(some).sums_to(target)
    assert sums.is_complete
    assert len(sums.found) == min(expected, 2)
    assert len(set(sums.found)) == len(sums.found)
    for positions in sums.found:
        assert list(positions) == sorted(set(positions))
        assert sum(some[i] for i in positions) == target
