"""Reconciliation of accounts as arithmetic: months, statements whose rows add up, and what answers differ in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reconciliation import (
    MOST_ROWS,
    Claim,
    ItemKind,
    Statement,
    StatementLine,
    WrongMonth,
    bounds,
    check_ended,
    last_day,
    letter_facts,
    letter_key,
    month_before,
    reconciliation_id,
    to_dispute,
    unexplained,
)


def line(number: int, open_minor: int) -> StatementLine:
    return StatementLine(f"2026-{number:06d}", "D-1", "2026-01-10", "2026-02-10", open_minor + 100, open_minor)


def test_months():
    assert bounds("2026-01") == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert bounds("2025-12")[1] == "2026-01-01T00:00:00Z"
    assert [last_day(month) for month in ("2026-02", "2028-02", "2026-12")] == [
        "2026-02-28",
        "2028-02-29",
        "2026-12-31",
    ]
    assert [month_before(f"{day}T06:00:00Z") for day in ("2026-01-02", "2026-03-31")] == ["2025-12", "2026-02"]


@pytest.mark.parametrize("month", ["", "2026", "2026-1", "2026-13", "2026-00", "1066-10", "2026-01-01", "٢٠٢٦-01", "x"])
def test_what_is_no_month(month):
    with pytest.raises(WrongMonth):
        bounds(month)


def test_a_month_is_reconciled_when_it_has_ended():
    check_ended("2026-01", "2026-02-01T00:00:00Z")
    with pytest.raises(WrongMonth):
        check_ended("2026-01", "2026-01-31T23:59:59Z")


def test_ids_and_keys_are_the_same_for_ever_and_of_one_statement_only():
    assert reconciliation_id("c-1", "EUR", "2026-01", False) == "R-D00245329952"
    keys = [("c-1", "EUR"), ("c-1", "USD"), ("c-2", "EUR")]
    told = [(c, e, m, t) for c, e in keys for m in ("2026-01", "2026-02") for t in (False, True)]
    assert len({reconciliation_id(*each) for each in told}) == len({letter_key(*each) for each in told}) == len(told)
    assert letter_key("c-1", "EUR", "2026-01", False) == "reconciliation:c-1:EUR:2026-01"


amounts = st.integers(1, 10**12)


@given(st.lists(amounts, max_size=2 * MOST_ROWS + 50), st.integers(-(10**12), 10**12))
def test_the_rows_of_the_letter_add_up_to_the_balance(opens, credit):
    lines = tuple(line(number, amount) for number, amount in enumerate(opens, start=1))
    statement = Statement("c-1", "EUR", "2026-01", lines, credit)
    facts = letter_facts(statement, "2026-02-16")
    rows = [value.split("|") for name, value in facts.items() if name.startswith("row_")]
    assert sum(int(row[-1]) for row in rows) == int(facts["balance_minor"]) == sum(opens) - credit
    assert len(rows) <= MOST_ROWS + 2
    assert {len(row) for row in rows} <= {len(facts["columns"].split("|"))}
    further = int(facts.get("further_count", "0"))
    assert further == max(0, len(opens) - MOST_ROWS)
    assert int(facts["invoices_count"]) == len(opens)
    assert all(facts.values())


@pytest.mark.parametrize(
    ("claim", "ours", "effect"),
    [
        (Claim(ItemKind.AMOUNT, "1", 60), 100, -40),
        (Claim(ItemKind.AMOUNT, "1", 160), 100, 60),
        (Claim(ItemKind.UNKNOWN_INVOICE, "1", 0), 100, -100),
        (Claim(ItemKind.UNKNOWN_INVOICE, "9", 70), 0, 70),
        (Claim(ItemKind.MISSING_PAYMENT, "1", 30), 100, -30),
        (Claim(ItemKind.MISSING_PAYMENT, "", 30), 0, -30),
        (Claim(ItemKind.OTHER, "", 30), 0, 0),
        (Claim(ItemKind.OTHER, "1", 90), 100, -10),
    ],
)
def test_what_an_item_explains(claim, ours, effect):
    assert claim.effect_on_balance(ours) == effect
    assert unexplained(500, 500 + effect, [claim], {"1": 100}) == 0
    assert unexplained(500, 500, [claim], {"1": 100}) == -effect


def test_what_is_disputed():
    assert to_dispute(Claim(ItemKind.AMOUNT, "1", 60), 100, 100) == 40
    assert to_dispute(Claim(ItemKind.AMOUNT, "1", 60), 100, 25) == 25
    assert to_dispute(Claim(ItemKind.AMOUNT, "1", 160), 100, 100) == 0
    assert to_dispute(Claim(ItemKind.UNKNOWN_INVOICE, "1", 0), 100, 100) == 100
    assert to_dispute(Claim(ItemKind.MISSING_PAYMENT, "1", 60), 100, 100) == 0


@pytest.mark.parametrize(
    ("kind", "invoice", "theirs"),
    [
        (ItemKind.AMOUNT, "", 1),
        (ItemKind.UNKNOWN_INVOICE, "", 1),
        (ItemKind.MISSING_PAYMENT, "", 0),
        (ItemKind.OTHER, "", -1),
    ],
)
def test_items_that_contradict_themselves(kind, invoice, theirs):
    with pytest.raises(ValueError, match=r"names its invoice|has an amount|not negative"):
        Claim(kind, invoice, theirs)
