"""What the departments are asked, and what their answers become."""

from dataclasses import replace
from typing import Any

import pytest

from models.deal_state import Effect
from models.effects import KINDS, report, request
from models.messages.legal import DocumentInput
from models.messages.logistics import ReleaseInput, ReserveInput, ReserveResult, ShipInput
from models.messages.receivables import InvoiceInput, InvoiceResult
from models.policy import DEFAULT
from models.stages.opening import OpenDeal
from tests.models.deals import deal_in, line_changed
from tests.models.samples import SHORT
from tests.models.world import START

DATA: dict[str, dict[str, Any]] = {
    "assess_reliability": {},
    "release_headroom": {"key": "headroom:D-1", "remaining_minor": 0},
    "note_broken_promise": {"invoice": "R-1"},
    "hold_group": {"on": True, "invoice": "R-1", "reason": "late"},
    "note_granted": {"list_minor": 5, "discount_minor": 1},
    "print_document": {"kind": "contract", "version": 1},
    "reserve_lines": {"lines": [1, 99]},
    "release_lines": {"lines": [1, 99], "expired": True},
    "ship_lines": {"lines": [{"line": 1, "quantity": 3}, {"line": 99, "quantity": 1}]},
    "take_back_lines": {"lines": [{"line": 1, "quantity": 3}, {"line": 99, "quantity": 1}]},
    "book_carriage": {"shipment": "D-1-S1"},
    "issue_invoice": {"kind": "delivery", "lines": [{"line": 1, "quantity": 3}, {"line": 99, "quantity": 1}]},
    "issue_interest_note": {"invoice": "R-1", "total_minor": 5},
    "book_entry": {"invoice": "R-1", "kind": "payment", "amount_minor": 5, "reference": ""},
    "send_letter": {"kind": "reminder", "facts": {"invoice": "R-1"}},
}


def effect(kind: str) -> Effect:
    return Effect(kind, dict(DATA[kind]), f"D-1:9:0:{kind}")


def test_every_kind_of_effect_has_a_question_even_for_a_bare_deal():
    assert set(DATA) == set(KINDS)
    for kind in KINDS:
        for state in ("identified", "fulfilling", "lost"):
            assert request(effect(kind), deal_in(state), DEFAULT, START) is not None


def test_an_unknown_kind_is_a_mistake():
    with pytest.raises(KeyError, match="fly"):
        request(Effect("fly"), deal_in("identified"), DEFAULT, START)


def test_only_what_is_short_is_asked_for():
    deal = line_changed(deal_in("fulfilling"), 1, **{**SHORT, "reserved": 4})
    asked = request(effect("reserve_lines"), deal, DEFAULT, START)
    assert isinstance(asked, ReserveInput)
    assert [(line.line, line.quantity) for line in asked.lines] == [(1, 6)]
    assert asked.expires_at == "2026-02-04T08:00:00Z"
    nothing = request(effect("reserve_lines"), deal_in("fulfilling"), DEFAULT, START)
    assert isinstance(nothing, ReserveInput)
    assert nothing.lines == ()


def test_an_invoice_of_an_earlier_system_keeps_its_number_and_dates():
    data = {"kind": "legacy", "lines": [], "number": "SAP-77", "total_minor": 4_000,
            "issued_at": "2025-12-01T00:00:00Z", "due_at": "2025-12-31T00:00:00Z"}  # fmt: skip
    asked = request(Effect("issue_invoice", data, "E-1"), deal_in("supporting"), DEFAULT, START)
    assert isinstance(asked, InvoiceInput)
    assert (asked.number, asked.kind, asked.total_minor, asked.lines) == ("SAP-77", "legacy", 4_000, ())
    assert (asked.issued_at, asked.due_at) == (data["issued_at"], data["due_at"])


def test_a_release_asks_for_all_that_the_lines_hold_and_a_shipment_for_what_was_said():
    released = request(effect("release_lines"), deal_in("fulfilling"), DEFAULT, START)
    assert isinstance(released, ReleaseInput)
    assert ([line.line for line in released.lines], released.expired) == ([1], True)
    assert released.lines[0].quantity >= 10
    shipped = request(effect("ship_lines"), deal_in("fulfilling"), DEFAULT, START)
    assert isinstance(shipped, ShipInput)
    assert [(line.article, line.quantity) for line in shipped.lines] == [("A-1", 3)]


def test_an_invoice_carries_tax_per_line_and_the_terms_of_the_offer():
    asked = request(effect("issue_invoice"), deal_in("fulfilling"), DEFAULT, START)
    assert isinstance(asked, InvoiceInput)
    assert [(line.net_minor, line.tax_minor) for line in asked.lines] == [(30_000, 5_700)]
    assert (asked.total_minor, asked.due_at) == (35_700, "2026-03-06T08:00:00Z")


def test_a_contract_carries_its_clauses_and_an_offer_its_lines():
    deal = deal_in("drafting_contract")
    assert deal.contract
    special = replace(deal, contract=replace(deal.contract, special_clauses=("delivery on Sundays",)))
    asked = request(effect("print_document"), special, DEFAULT, START)
    assert isinstance(asked, DocumentInput)
    assert asked.facts["clause_1"] == "delivery on Sundays"
    assert asked.facts["line_1"] == "10 x A-1 article A-1 at 100.00 EUR"
    assert asked.facts["payment"] == "net 60 days"
    assert deal.offer
    prepaid = replace(deal, offer=replace(deal.offer, prepaid=True))
    paper = request(Effect("print_document", {"kind": "offer", "version": 1}, "k"), prepaid, DEFAULT, START)
    assert isinstance(paper, DocumentInput)
    assert paper.facts["payment"] == "prepaid"
    assert "clause_1" not in paper.facts


def test_an_answer_that_comes_too_late_merely_finishes_its_effect():
    deal = deal_in("supporting")
    asked = request(effect("reserve_lines"), deal, DEFAULT, START)
    told = report(effect("reserve_lines"), asked, ReserveResult(()), deal, DEFAULT, START)
    assert (told.action, told.payload) == ("finish_effect", {"effect": "D-1:9:0:reserve_lines"})
    assert told.key == "effect:D-1:9:0:reserve_lines"
    invoiced = request(effect("issue_invoice"), deal, DEFAULT, START)
    booked = report(effect("issue_invoice"), invoiced, InvoiceResult("R-7"), deal, DEFAULT, START)
    assert (booked.action, booked.payload["number"]) == ("book_invoice", "R-7")


@pytest.mark.parametrize(
    "changes", [{"title": " "}, {"customer": ""}, {"owner": ""}, {"currency": "euro"}, {"currency": ""}]
)
def test_a_deal_is_not_opened_without_customer_owner_title_or_currency(changes: dict[str, str]):
    usual: dict[str, Any] = dict.fromkeys(("title", "customer", "group", "owner", "department", "branch"), "x")
    assert OpenDeal(**usual, currency="EUR").is_test is False
    with pytest.raises(ValueError, match=r"must not be empty|ISO 4217"):
        OpenDeal(**{**usual, "currency": "EUR", **changes})
