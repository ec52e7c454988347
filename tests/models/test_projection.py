"""The read side: rows computed from the deal alone, sub-states derived from facts."""

from dataclasses import replace

import pytest

from models.codec import decode, encode
from models.deal import fold
from models.deal_state import Deal
from models.lifecycle.states import DealState
from models.policy import DEFAULT
from models.projection import CHILDREN, changed_children, project, substates
from tests.models.deals import BUILD, deal_in, line_changed
from tests.models.samples import CASE, OWED
from tests.models.world import World, delivered, entered

NESTED = {"shipments": "lines", "shortages": "options"}
"""Columns that hold a list of plain objects."""


@pytest.mark.parametrize("state", DealState.open())
def test_a_rebuild_from_the_timeline_gives_equal_rows(state: str):
    world = BUILD[state]()
    if state == "reliability_check":
        return  # put together by hand, without entries
    assert project(fold(world.entries), DEFAULT) == project(world.deal, DEFAULT)


@pytest.mark.parametrize("state", DealState)
def test_the_snapshot_in_the_row_is_the_whole_deal(state: str):
    deal = deal_in(state)
    row = project(deal, DEFAULT).deal
    assert decode(Deal, row["snapshot"]) == deal
    assert (row["state"], row["stage"], row["version"]) == (deal.state, str(deal.stage), deal.version)
    assert bool(row["due_at"]) == (not deal.is_closed)
    assert bool(row["closed_at"]) == deal.is_closed


def test_rows_are_plain_values_of_their_own_deal():
    deal = replace(delivered(World()).deal, cases=(CASE,))
    rows = project(deal, DEFAULT)
    for name in CHILDREN:
        for row in getattr(rows, name):
            assert row["deal_id"] == "D-1"
            nested = NESTED.get(name, "")
            assert all(type(value) in (str, int, bool) for key, value in row.items() if key != nested), name
            assert all(type(v) in (str, int) for part in row.get(nested, ()) for v in part.values()), name
    assert [line["shipped"] for line in rows.lines] == [10, 5, 1]
    assert rows.invoices[0]["open_minor"] == 190_400
    assert rows.cases[0]["lines"] == "1"
    assert rows.agenda[0]["department"] == "north"
    assert encode(rows.deal) == rows.deal


def test_only_child_tables_whose_rows_differ_are_named():
    before = project(deal_in("fulfilling"), DEFAULT)
    assert changed_children(None, before) == ("lines", "agenda")
    assert changed_children(before, before) == ()
    after = project(replace(deal_in("fulfilling"), cases=(CASE,)), DEFAULT)
    assert changed_children(before, after) == ("agenda", "cases")


def test_the_value_is_the_offers_else_the_budget():
    assert deal_in("identified").value_minor == 0
    assert deal_in("contacted").value_minor == 200_000
    assert deal_in("offer_open").value_minor == 190_400


def test_goods_open_until_the_stock_book_has_answered():
    deal = deal_in("fulfilling")
    assert substates(deal)["goods"] == "reserved"
    assert substates(line_changed(deal, 1, reserved=0, state="open"))["goods"] == "open"
    assert substates(deal_in("contacted"))["goods"] == "none"


@pytest.mark.parametrize(
    ("level", "money"),
    [("issued", "open"), ("announced", "open"), ("due", "open"), ("reminded", "overdue"), ("with_legal", "overdue")],
)
def test_money_is_overdue_from_the_reminder_on(level: str, money: str):
    deal = replace(entered(World()).deal, receivables=(replace(OWED, state=level),))
    assert substates(deal)["money"] == money
    assert substates(replace(deal, receivables=()))["money"] == "none"
    settled = replace(OWED, number="R-2", state="paid", paid_minor=OWED.total_minor)
    assert substates(replace(deal, receivables=(settled, *deal.receivables)))["money"] == money
    assert substates(replace(deal, receivables=(settled,)))["money"] == "settled"
