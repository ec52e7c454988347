"""Money that went out: debits that came back, and what is only our own payment."""

from typing import Any

import pytest

from models.banking.matching_values import Allocation, Earlier, Match
from tests.banking.bank_books import book, entry, from_nord, invoice, parts, total

PAID = (Allocation("2026-000124", "D-2026-000124", "nord", 49_00, 0, 1_00, 0),)
EARLIER = Earlier("BANK-1", "E2E-1", PAID, 49_00)


def back(amount_minor: int, text: str = "", **more: Any) -> Match:
    return book(earlier=[EARLIER]).match(entry(-amount_minor, text, **more), "EUR")


def test_by_the_end_to_end_id_everything_is_undone() -> None:
    found = back(49_00, end_to_end="E2E-1", return_reason="AM04")
    assert (found.rule, found.customer, total(found)) == ("returned", "nord", -49_00)
    assert found.allocations == (Allocation("2026-000124", "D-2026-000124", "nord", -49_00, 0, -1_00, 0),)


@pytest.mark.parametrize(
    "more",
    [
        {"is_reversal": True},
        {"return_reason": "MD01"},
        {"code": "PMNT/IDDT/UPDD"},
        {"code": "NDDT/109"},
        {"text": "Rücklastschrift RE 2026-000124"},
        {"text": "RETURNED DIRECT DEBIT"},
    ],
)
def test_however_the_bank_says_it(more: dict[str, Any]) -> None:
    assert back(49_00, bank_reference="BANK-1", **more).rule == "returned"


def test_by_its_number_a_settled_invoice_is_open_again() -> None:
    ours = book()
    found = ours.match(entry(-50_00, "RLS 2026-000124", is_reversal=True), "EUR")
    assert (found.rule, parts(found)) == ("returned", {"2026-000124": -50_00})
    ours.take(found)
    assert ours.open_minor("2026-000124") == 50_00
    assert ours.match(from_nord(50_00), "EUR").rule == "amount_and_customer"


def test_never_more_than_the_invoice_was_for() -> None:
    assert back(50_01, "2026-000124", is_reversal=True).rule == ""
    assert back(1, "2026-000123", is_reversal=True).rule == ""


def test_several_invoices_only_when_that_is_what_was_paid() -> None:
    two = (
        invoice("2026-000001", "nord", 0, total_minor=30_00),
        invoice("2026-000002", "nord", 5_00, total_minor=25_00),
    )
    ours = book(*two)
    found = ours.match(entry(-50_00, "2026-000001 2026-000002", is_reversal=True), "EUR")
    assert parts(found) == {"2026-000001": -30_00, "2026-000002": -20_00}
    assert ours.match(entry(-40_00, "2026-000001 2026-000002", is_reversal=True), "EUR").rule == ""


def test_with_a_fee_on_top_is_a_question() -> None:
    found = back(52_00, end_to_end="E2E-1", return_reason="AM04")
    assert (found.rule, found.customer) == ("", "nord")
    assert [part.excess_minor for part in found.candidates[0].allocations] == [-3_00]
    assert "3.00 EUR more" in found.candidates[0].why
    assert back(40_00, end_to_end="E2E-1", return_reason="AM04").candidates == ()


def test_nothing_says_which() -> None:
    found = back(10_00, is_reversal=True)
    assert (found.rule, found.reason) == ("", "a payment came back, but nothing says which")


def test_two_payments_with_the_same_reference_and_amount() -> None:
    other = Earlier("BANK-2", "E2E-1", (Allocation("2026-000123", "D", "nord", 49_00),), 49_00)
    found = book(earlier=[EARLIER, other]).match(entry(-49_00, end_to_end="E2E-1", is_reversal=True), "EUR")
    assert (found.rule, len(found.candidates)) == ("", 2)


def test_the_amount_tells_payments_with_the_same_reference_apart() -> None:
    other = Earlier("BANK-2", "E2E-1", (Allocation("2026-000123", "D", "nord", 48_00),), 48_00)
    found = book(earlier=[EARLIER, other]).match(entry(-48_00, end_to_end="E2E-1", is_reversal=True), "EUR")
    assert parts(found) == {"2026-000123": -48_00}


def test_in_the_same_statement_and_only_once() -> None:
    ours = book()
    paid = from_nord(119_00, "2026-000123", end_to_end="E2E-7")
    ours.take(ours.match(paid, "EUR"), paid)
    returned = entry(-119_00, end_to_end="E2E-7", is_reversal=True)
    found = ours.match(returned, "EUR")
    assert (found.rule, parts(found)) == ("returned", {"2026-000123": -119_00})
    ours.take(found, returned)
    assert ours.open_minor("2026-000123") == 119_00
    assert ours.match(returned, "EUR").rule == ""


def test_taken_without_its_entry_it_is_undone_only_once_too() -> None:
    ours = book(earlier=[EARLIER])
    returned = entry(-49_00, end_to_end="E2E-1", is_reversal=True)
    ours.take(ours.match(returned, "EUR"))
    assert ours.match(returned, "EUR").rule == ""


def test_in_another_currency() -> None:
    usd = Earlier("", "E2E-1", (Allocation("2026-000200", "D", "yankee", 49_00),), 49_00)
    ours = book(earlier=[usd])
    assert ours.match(entry(-49_00, end_to_end="E2E-1", is_reversal=True), "EUR").reason.startswith(
        "foreign currency: "
    )
    assert ours.match(entry(-49_00, "2026-000200", is_reversal=True), "EUR").reason.startswith("foreign currency: ")
    assert back(49_00, currency="USD", is_reversal=True).reason.startswith("foreign currency: ")


def test_an_invoice_that_is_not_in_the_book() -> None:
    gone = Earlier("", "E2E-1", (Allocation("2020-000001", "D", "nord", 49_00),), 49_00)
    found = book(earlier=[gone]).match(entry(-49_00, end_to_end="E2E-1", is_reversal=True), "EUR")
    assert (found.rule, "2020-000001" in found.reason) == ("", True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Miete März", "our own payment"),
        ("Erstattung Retoure 2026-000124", "our own payment"),
        ("Entgelt Rücklastschrift", "bank charges"),
        ("Kontoführungsgebühr", "bank charges"),
    ],
)
def test_our_own_payments_need_nobody(text: str, reason: str) -> None:
    found = back(49_00, text)
    assert (found.rule, found.reason, found.allocations, found.candidates) == ("outgoing", reason, (), ())


def test_reference_and_amount_of_a_payment_but_the_bank_is_silent() -> None:
    found = back(49_00, end_to_end="E2E-1")
    assert (found.rule, len(found.candidates)) == ("", 1)
