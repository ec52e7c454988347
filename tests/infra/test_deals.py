"""Lists of deals, agendas, approvals and boards: pages, filters and who sees what."""

from typing import Any

import pytest

from infra.stores.deals import AgendaFilter, DealFilter, DealStore
from infra.stores.pages import BadCursor
from infra.stores.recorder import DatabaseRecorder
from models.instants import plus
from models.visibility import EVERYTHING, Scope
from tests.infra.deal_samples import START, chain, record

ALL = ("lines", "agenda", "approvals", "invoices", "cases")


@pytest.fixture
async def deals(database):
    """Ten deals: even ones are anna's in the north, odd ones boris's in the south; the last is a test deal."""
    recorder = DatabaseRecorder(database)
    for n in range(10):
        mine: Any = (
            {"owner": "anna", "department": "north"} if n % 2 == 0 else {"owner": "boris", "department": "south"}
        )
        where: Any = (
            {"state": "qualified"} if n < 3 else {"state": "fulfilling", "stage": "fulfilment", "currency": "CHF"}
        )
        rest: Any = {"opened_at": plus(START, n // 2 * 60), "customer_id": f"c-{n % 3}", "is_test": n == 9}
        asked = record(f"d-{n}", chain(f"d-{n}", 1), ALL, **mine, **where, **rest)
        asked.projection.agenda[0].update(due_at=plus(START, -n), person="cleo" if n == 5 else mine["owner"])
        asked.projection.agenda[0].update(roles="risk_officer" if n == 4 else "account_manager,head_of_sales")
        await recorder.record(asked)
    return DealStore(database)


async def all_pages(read, limit=3):
    found, cursor = [], ""
    while True:
        page = await read(cursor=cursor, limit=limit)
        assert len(page.rows) <= limit
        found += page.rows
        cursor = page.next_cursor
        if not cursor:
            return found


async def test_pages_show_each_deal_once_the_latest_first(deals):
    rows = await all_pages(lambda **page: deals.page(EVERYTHING, DealFilter(), **page))
    assert [row["id"] for row in rows] == [f"d-{n}" for n in range(9, -1, -1)]
    assert "snapshot" not in rows[0]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (DealFilter(state="qualified"), {0, 1, 2}),
        (DealFilter(stage="fulfilment", owner="anna"), {4, 6, 8}),
        (DealFilter(customer="c-0", department="south"), {3, 9}),
        (DealFilter(test=True), {9}),
        (DealFilter(test=False, customer="c-0"), {0, 3, 6}),
        (DealFilter(owner="nobody"), set()),
        (DealFilter(linked_deal="d-x"), set()),
    ],
)
async def test_filters(deals, asked, found):
    rows = await all_pages(lambda **page: deals.page(EVERYTHING, asked, **page))
    assert {row["id"] for row in rows} == {f"d-{n}" for n in found}


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (Scope("own", "anna", "south"), {0, 2, 4, 6, 8}),
        (Scope("department", "x", "south"), {1, 3, 5, 7, 9}),
        (Scope("none", "anna", "north"), set()),
        (EVERYTHING, set(range(10))),
    ],
)
async def test_nobody_sees_what_is_out_of_scope(deals, scope, found):
    names = {f"d-{n}" for n in found}
    assert {row["id"] for row in (await deals.page(scope, DealFilter(), limit=200)).rows} == names
    assert {row["deal_id"] for row in (await deals.approvals(scope, limit=200)).rows} == names
    assert sum(row["deals"] for row in await deals.board(scope)) == len(names)
    for n in range(10):
        assert (await deals.get(f"d-{n}", scope) is not None) == (f"d-{n}" in names)


async def test_the_agenda_is_sorted_by_due_time_and_tells_about_the_deal(deals):
    rows = await all_pages(lambda **page: deals.agenda(EVERYTHING, AgendaFilter(), **page))
    assert [row["deal_id"] for row in rows] == [f"d-{n}" for n in range(9, -1, -1)]
    assert rows[0]["deal_title"] == "Pumps for the spring"
    assert rows[0]["deal_owner"] == "boris"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (AgendaFilter(role="risk_officer"), {4}),
        (AgendaFilter(role="officer"), set()),
        (AgendaFilter(role="%"), set()),
        (AgendaFilter(person="cleo"), {5}),
        (AgendaFilter(role="head_of_sales", until=plus(START, -7)), {7, 8, 9}),
        (AgendaFilter(deal_id="d-3"), {3}),
        (AgendaFilter(test=True), set()),
        (AgendaFilter(department="south"), set()),
    ],
)
async def test_agenda_filters(deals, asked, found):
    rows = (await deals.agenda(EVERYTHING, asked)).rows
    assert {row["deal_id"] for row in rows} == {f"d-{n}" for n in found}


async def test_the_agenda_shows_a_person_what_waits_for_them_on_others_deals(deals):
    rows = (await deals.agenda(Scope("own", "cleo", "west"), AgendaFilter())).rows
    assert [row["deal_id"] for row in rows] == ["d-5"]
    assert (await deals.agenda(Scope("none", "cleo", "west"), AgendaFilter())).rows == []


async def test_approvals_by_role_and_state(deals):
    assert len((await deals.approvals(EVERYTHING, role="commercial_director")).rows) == 10
    assert (await deals.approvals(EVERYTHING, role="legal")).rows == []
    assert (await deals.approvals(EVERYTHING, state="approved")).rows == []
    assert len((await deals.approvals(EVERYTHING, state="", deal_id="d-1")).rows) == 1
    assert len(await all_pages(lambda **page: deals.approvals(EVERYTHING, **page))) == 10


async def test_the_board_counts_and_sums_per_currency(deals):
    board = await deals.board(EVERYTHING, DealFilter(test=False))
    assert board == [
        {"stage": "fulfilment", "state": "fulfilling", "currency": "CHF", "deals": 6, "value_minor": 7_500_000},
        {"stage": "prospecting", "state": "qualified", "currency": "EUR", "deals": 3, "value_minor": 3_750_000},
    ]
    assert all(type(row["value_minor"]) is int for row in board)


@pytest.mark.parametrize(
    "cursor", ["x", "é", "W10", "WzEsMl0", "WyJhIiwgIlx1MDAwMCJd", "WyJhIiwiXHVkODAwIl0", "[" * 99, "bnVsbA"]
)
async def test_a_made_up_cursor_is_refused(deals, cursor):
    with pytest.raises(BadCursor):
        await deals.page(EVERYTHING, DealFilter(), cursor)


async def test_limits_are_kept_within_bounds(deals):
    assert len((await deals.page(EVERYTHING, DealFilter(), limit=0)).rows) == 1
    assert len((await deals.page(EVERYTHING, DealFilter(), limit=10**9)).rows) == 10


async def test_a_source_that_was_not_imported(deals):
    assert await deals.by_source("") is None
    assert await deals.by_source("opportunities/1") is None


async def test_a_list_of_open_deals_only(deals, database):
    closed = record("d-x", chain("d-x", 1), state="lost", stage="closed")
    await DatabaseRecorder(database).record(closed)
    assert len((await deals.page(EVERYTHING, DealFilter())).rows) == 11
    assert "d-x" not in {row["id"] for row in (await deals.page(EVERYTHING, DealFilter(open_only=True))).rows}
