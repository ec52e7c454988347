"""Management's reports: figures that can be counted by hand, who reads them, periods, test deals, and their speed."""

import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from infra.db import Database, table_of
from infra.desk.reporting import median, nearest_rank
from infra.stores.reports import Period, ReportStore
from models.instants import plus
from models.lifecycle.roles import PERSONS
from models.tables.projection import DealRequestRow
from models.visibility import EVERYTHING
from tests.api.conftest import Office
from tests.api.desks import another, complained, office_at, short
from tests.models.world import offered

NOW = "2026-01-09T08:00:00Z"
"""Friday; the deals of the tests are made on Monday the 5th."""

HOUR = 3_600


@pytest_asyncio.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_at(database, tmp_path, NOW) as office:
        yield office


async def report(office: Office, who: str, name: str, **asked: Any) -> dict[str, Any]:
    answer = await office.get(who, f"/v1/reports/{name}", **asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ask(office: Office, deal: str, *requests: tuple[str, str, str, str]) -> None:
    """Questions of a deal to logistics: asked, due, answered (empty: not yet), escalated."""
    rows = [
        {"deal_id": deal, "key": f"extra:{number}", "role": "logistics_manager", "kind": "shortage", "subject": "",
         "asked_at": asked, "due_at": due, "answered_at": answered, "answered_by": "", "escalated_at": told,
         "is_test": False}
        for number, (asked, due, answered, told) in enumerate(requests)
    ]  # fmt: skip
    await office.desk.books.database.write(
        lambda connection: connection.execute(insert(table_of(DealRequestRow)), rows)
    )


async def test_response_times_of_a_real_ladder(desk: Office) -> None:
    """Logistics is asked, answers late and is escalated meanwhile; then production would be next."""
    world = short()
    world.advance(5 * 86_400)
    assert world.deal.order
    lasting = world.deal.order.lines[0].shortage
    assert lasting
    asked = next(visit for visit in lasting.visits if visit.role == "logistics_manager")
    world.do("logistics_manager", "answer_shortage", line=1, available_on="2026-01-20", quantity=6)
    await desk.store(world)
    found = await report(desk, "commercial_director", "response-times")
    by_role = {(row["role"], row["kind"]): row for row in found["items"]}
    logistics = by_role[("logistics_manager", "shortage")]
    assert {name: logistics[name] for name in ("asked", "answered", "open", "late", "escalated")} == {
        "asked": 1, "answered": 1, "open": 0, "late": 1, "escalated": 1
    }  # fmt: skip
    # asked on Monday at noon, four working hours after the order; answered on Saturday at eight
    assert (asked.since, world.now) == ("2026-01-05T12:00:00Z", "2026-01-10T08:00:00Z")
    assert [logistics[f"{name}_seconds"] for name in ("mean", "median", "p90")] == [4 * 86_400 + 20 * HOUR] * 3


async def test_figures_that_are_counted_by_hand(desk: Office) -> None:
    await desk.store(offered(another()))
    day = "2026-01-05T08:00:00Z"
    due = plus(day, 10 * HOUR)
    answered = [(day, due, plus(day, hours * HOUR), "") for hours in (1, 2, 3, 4, 5, 6, 7, 8, 10, 20)]
    late = (day, due, "", due)
    in_time = (day, "2026-01-09T08:00:00Z", "", "")
    await ask(desk, "D-1", *answered, late, in_time)
    found = await report(desk, "auditor", "response-times")
    (row,) = [one for one in found["items"] if one["kind"] == "shortage"]
    assert row == {
        "role": "logistics_manager", "kind": "shortage", "asked": 12, "answered": 10, "open": 2, "late": 2,
        "escalated": 1, "mean_seconds": 23_760, "median_seconds": int(5.5 * HOUR), "p90_seconds": 10 * HOUR,
    }  # fmt: skip
    assert found["as_of"] == NOW
    a_second_later = await report(desk, "auditor", "response-times", as_of="2026-01-09T09:00:01+01:00")
    assert [one["late"] for one in a_second_later["items"] if one["kind"] == "shortage"] == [3]


async def test_nothing_answered_has_no_times(desk: Office) -> None:
    await desk.store(offered(another()))
    await ask(desk, "D-1", ("2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z", "", ""))
    found = await report(desk, "admin", "response-times")
    (row,) = [one for one in found["items"] if one["kind"] == "shortage"]
    assert [row[f"{name}_seconds"] for name in ("mean", "median", "p90")] == [None] * 3


@pytest.mark.parametrize("name", ["response-times", "discrepancies"])
@pytest.mark.parametrize("role", sorted(map(str, PERSONS)))
async def test_who_reads_reports(desk: Office, name: str, role: str) -> None:
    answer = await desk.get(role, f"/v1/reports/{name}")
    readers = {"head_of_sales", "commercial_director", "admin", "auditor"}
    assert answer.status_code == (200 if role in readers else 403), answer.text
    if role not in readers:
        assert set(answer.json()["blocked"]["roles_allowed"]) == readers


async def test_a_heads_report_is_about_the_department(desk: Office) -> None:
    await desk.store(complained("D-1", ("damage", "carrier", 2, "")))
    await desk.store(complained("D-2", ("damage", "carrier", 5, ""), owner="u-stranger", department="south"))
    units = {who: (await report(desk, who, "discrepancies"))["units"] for who in ("head_of_sales", "admin", "auditor")}
    assert units == {"head_of_sales": 2, "admin": 7, "auditor": 7}
    for deal in ("D-1", "D-2"):
        await ask(desk, deal, ("2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z", "", ""))
    for who, asked in (("head_of_sales", 1), ("commercial_director", 2)):
        rows = (await report(desk, who, "response-times"))["items"]
        assert [row["asked"] for row in rows if row["kind"] == "shortage"] == [asked], who


async def test_discrepancies_by_what_they_are(desk: Office) -> None:
    await desk.store(complained("D-1", ("damage", "carrier", 3, "another carrier"), ("damage", "packing", 1, "")))
    await desk.store(complained("D-2", ("shortage", "carrier", 2, "another carrier"), ("refusal", "customer", 4, "")))
    by_cause = await report(desk, "commercial_director", "discrepancies")
    assert (by_cause["by"], by_cause["acts"], by_cause["units"]) == ("cause", 4, 10)
    assert by_cause["items"] == [
        {"name": "carrier", "acts": 2, "units": 5, "acts_bps": 5_000, "units_bps": 5_000},
        {"name": "customer", "acts": 1, "units": 4, "acts_bps": 2_500, "units_bps": 4_000},
        {"name": "packing", "acts": 1, "units": 1, "acts_bps": 2_500, "units_bps": 1_000},
    ]
    assert by_cause["measures"] == [{"text": "another carrier", "acts": 2}]
    expected = {
        "kind": [("damage", 2, 4), ("refusal", 1, 4), ("shortage", 1, 2)],
        "article": [("A-1", 4, 10)],
        "measure": [("", 2, 5), ("acceptance", 2, 5)],
    }
    for by, groups in expected.items():
        found = await report(desk, "commercial_director", "discrepancies", by=by)
        assert [(one["name"], one["acts"], one["units"]) for one in found["items"]] == groups, by
    unknown = await desk.get("commercial_director", "/v1/reports/discrepancies", by="customer")
    assert unknown.status_code == 422


async def test_an_act_about_two_lines_is_one_act(desk: Office) -> None:
    world = complained("D-1")
    lines = [{"line": 1, "quantity": 2}, {"line": 2, "quantity": 1}]
    world.do("logistics_manager", "report_discrepancy", kind="damage", cause="carrier", lines=lines)
    await desk.store(world)
    found = await report(desk, "auditor", "discrepancies", by="article")
    assert (found["acts"], found["units"]) == (1, 3)
    assert [(one["name"], one["acts_bps"]) for one in found["items"]] == [("A-1", 10_000), ("A-2", 10_000)]


async def test_measures_are_the_most_frequent_twenty(desk: Office) -> None:
    for deal in range(3):
        acts = [("damage", "carrier", 1, f"measure {number:02}") for number in range(8 * deal, 8 * deal + 8)]
        await desk.store(complained(f"D-{deal}", *acts, ("damage", "carrier", 1, "better boxes")))
    measures = (await report(desk, "auditor", "discrepancies"))["measures"]
    assert measures[0] == {"text": "better boxes", "acts": 3}
    assert [one["text"] for one in measures[1:]] == [f"measure {number:02}" for number in range(19)]


async def test_periods_are_whole_days(desk: Office) -> None:
    await desk.store(complained("D-1", ("damage", "carrier", 3, "")))
    for first, last, units in (
        ("2026-01-05", "2026-01-05", 3),
        ("", "2026-01-05", 3),
        ("2026-01-05", "", 3),
        ("2026-01-06", "", 0),
        ("", "2026-01-04", 0),
    ):
        found = await report(desk, "auditor", "discrepancies", **{"from": first, "to": last})
        assert (found["units"], found["from"], found["to"]) == (units, first, last)
    for wrong in ({"from": "2026-01-32"}, {"to": "yesterday"}, {"from": "2026-01-02", "to": "2026-01-01"},
                  {"to": "9999-12-31"}):  # fmt: skip
        answer = await desk.get("auditor", "/v1/reports/response-times", **wrong)
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["field"].startswith("query."), wrong


async def test_test_deals_count_when_asked_for(desk: Office) -> None:
    await desk.store(complained("D-1", ("damage", "carrier", 3, "")))
    await desk.store(complained("D-2", ("damage", "carrier", 4, ""), test=True))
    assert (await report(desk, "auditor", "discrepancies"))["units"] == 3
    assert (await report(desk, "auditor", "discrepancies", test_deals=True))["units"] == 7


async def test_a_hundred_thousand_requests_are_counted_in_a_moment(database: Database) -> None:
    """A second on a machine that has time; the limit only says that it is no matter of minutes."""
    count = 100_000
    day = "2026-01-05T08:00:00Z"
    hours = [plus(day, hour * HOUR) for hour in range(100)]
    rows = [
        {"deal_id": f"D-{number % 5_000}", "key": f"k:{number}", "role": ("production", "legal")[number % 2],
         "kind": "shortage", "subject": "", "asked_at": day, "due_at": hours[50], "answered_at": hours[number % 100],
         "answered_by": "", "escalated_at": "", "is_test": False}
        for number in range(count)
    ]  # fmt: skip
    await database.write(lambda connection: connection.execute(insert(table_of(DealRequestRow)), rows))
    started = time.process_time()
    found = await ReportStore(database).response_times(EVERYTHING, Period("2026-01-01", "2026-02-01"), NOW)
    assert time.process_time() - started < 10
    assert [(row["role"], row["asked"], row["late"]) for row in found] == [
        ("legal", count // 2, 25_000), ("production", count // 2, 24_000)
    ]  # fmt: skip


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=200), st.integers(1, 100))
def test_the_middle_and_the_ranks(seconds: list[int], percent: int) -> None:
    ordered = sorted(seconds)
    assert median(ordered) == int(statistics.median(ordered))
    found = nearest_rank(ordered, percent)
    assert found is not None
    assert sum(one <= found for one in ordered) * 100 >= percent * len(ordered)
    assert sum(one < found for one in ordered) * 100 < percent * len(ordered)
