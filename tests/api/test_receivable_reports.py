"""Reports on receivables over the API: figures counted by hand, who reads them, wrong questions; and money verified."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from infra.db import Database
from models.instants import DAY, plus
from models.lifecycle.roles import PERSONS
from tests.api.conftest import Office
from tests.api.desks import office_at
from tests.infra.test_receivable_reports import BookedWorld, keep
from tests.models.world import delivered

NOW = "2026-04-06T08:00:00Z"
"""A Monday, 31 days after the due day of invoices that were issued on 5 January."""

TOTAL = 190_400
REPORTS = ("ageing", "dso", "collection-effectiveness", "expected-cash", "lateness")
READERS = {"head_of_sales", "commercial_director", "accounts_receivable", "admin", "auditor"}


@pytest_asyncio.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_at(database, tmp_path, NOW) as office:
        await office.desk.books.policies.active(NOW)
        yield office


def owing(number: int, days: int = 0, **known: Any) -> BookedWorld:
    """A deal with an invoice over 190,400, and so many days later."""
    world = delivered(BookedWorld(number=number, **({"test": False} | known)))
    assert isinstance(world, BookedWorld)
    world.advance(days * DAY)
    return world


async def books(desk: Office) -> None:
    """c-1 paid one invoice ten days late, disputes a part of another and promises the rest; c-2 has paid nothing and
    is another department's."""
    paid = owing(1, 70)
    paid.pay()
    promising = owing(2, 65)
    number = promising.deal.receivables[0].number
    promising.do("account_manager", "dispute", invoice=number, amount_minor=40_000, reason="damaged")
    until = plus("2026-04-15T08:00:00Z", 0)
    promising.do("account_manager", "promise_to_pay", invoice=number, amount_minor=100_000, until=until)
    promising.advance(25 * DAY)
    stranger = owing(3, 91, customer="c-2", owner="u-stranger", department="south")
    await keep(desk.desk.books.database, paid, promising, stranger, owing(4, test=True))


async def report(office: Office, who: str, name: str, **asked: Any) -> dict[str, Any]:
    answer = await office.get(who, f"/v1/reports/{name}", **asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def euros(amount: int) -> dict[str, Any]:
    return {"amount_minor": amount, "currency": "EUR"}


async def test_ageing(desk: Office) -> None:
    await books(desk)
    found = await report(desk, "accounts_receivable", "ageing")
    assert (found["as_of"], found["test_deals"]) == ("2026-04-06", False)
    (total,) = found["totals"]
    assert (total["customers"], total["invoices"], total["open"]) == (2, 2, euros(2 * TOTAL))
    assert (total["overdue"], total["disputed"]) == (euros(2 * TOTAL), euros(40_000))
    filled = [bucket for bucket in total["buckets"] if bucket["open"]["amount_minor"]]
    assert filled == [{"name": "days_31_60", "open": euros(2 * TOTAL), "disputed": euros(40_000)}]
    assert [(row["customer"], row["disputed"]) for row in found["customers"]] == [
        ("c-1", euros(40_000)), ("c-2", euros(0))
    ]  # fmt: skip
    before = await report(desk, "auditor", "ageing", as_of="2026-03-06")
    assert before["totals"][0]["buckets"][0]["open"] == euros(3 * TOTAL), "on the due day nothing is overdue"
    assert (await report(desk, "auditor", "ageing", as_of="2026-01-04"))["totals"] == []
    assert len((await report(desk, "auditor", "ageing", limit=1))["customers"]) == 1
    assert [c["customer"] for c in (await report(desk, "auditor", "ageing", customer="c-2"))["customers"]] == ["c-2"]
    assert (await report(desk, "auditor", "ageing", currency="USD"))["totals"] == []
    assert (await report(desk, "auditor", "ageing", test_deals=True))["totals"][0]["invoices"] == 3


async def test_a_heads_reports_are_about_the_department(desk: Office) -> None:
    await books(desk)
    invoices = {who: (await report(desk, who, "ageing"))["totals"][0]["invoices"] for who in sorted(READERS)}
    assert invoices == {who: 1 if who == "head_of_sales" else 2 for who in READERS}


async def test_days_sales_outstanding(desk: Office) -> None:
    await books(desk)
    found = await report(desk, "commercial_director", "dso", days=92)
    assert (found["from"], found["as_of"], found["days"]) == ("2026-01-05", "2026-04-06", 92)
    assert found["items"] == [
        {"currency": "EUR", "sales": euros(3 * TOTAL), "receivables": euros(2 * TOTAL), "current": euros(0),
         "dso_tenths": 613, "best_possible_tenths": 0, "delinquent_tenths": 613,
         # six days of April, all of March and February, and two thirds of January's 31 days
         "countback_tenths": 650 + 207}
    ]  # fmt: skip
    assert (await report(desk, "auditor", "dso", days=30))["items"][0]["dso_tenths"] is None


async def test_collection_effectiveness(desk: Office) -> None:
    await books(desk)
    (row,) = (await report(desk, "head_of_sales", "collection-effectiveness", days=31))["items"]
    assert (row["beginning"], row["sales"], row["ending"]) == (euros(2 * TOTAL), euros(0), euros(TOTAL))
    assert (row["collected"], row["collectable"], row["effectiveness_bps"]) == (euros(TOTAL), euros(2 * TOTAL), 5_000)


async def test_expected_cash(desk: Office) -> None:
    await books(desk)
    found = await report(desk, "auditor", "expected-cash", as_of="2026-03-31", weeks=3)
    (row,) = found["items"]
    assert found["usual_days_late"] == 3
    assert (row["uncertain"], row["legal"], row["later"], row["open"]) == tuple(map(euros, (40_000, 0, 0, 2 * TOTAL)))
    assert [(w["week"], w["expected"]["amount_minor"], w["promised"]["amount_minor"]) for w in row["weeks"]] == [
        ("2026-W14", TOTAL + 50_400, 0), ("2026-W15", 0, 0), ("2026-W16", 100_000, 100_000)
    ]  # fmt: skip


async def test_lateness(desk: Office) -> None:
    await books(desk)
    found = await report(desk, "accounts_receivable", "lateness")
    assert (found["invoices"], found["average_days"], found["median_days"]) == (1, 10, 10)
    assert found["customers"] == [{"customer": "c-1", "invoices": 1, "average_days": 10, "median_days": 10}]
    rungs = {row["rung"]: row["invoices"] for row in found["rungs"]}
    assert (rungs["announce_due"], rungs["remind_payment"]) == (3, 3)
    nobody = await report(desk, "auditor", "lateness", as_of="2026-01-06")
    assert (nobody["invoices"], nobody["average_days"], nobody["customers"], nobody["rungs"]) == (0, None, [], [])


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("role", sorted(map(str, PERSONS)))
async def test_who_reads_reports_on_money(desk: Office, name: str, role: str) -> None:
    answer = await desk.get(role, f"/v1/reports/{name}")
    assert answer.status_code == (200 if role in READERS else 403), answer.text
    if role not in READERS:
        assert set(answer.json()["blocked"]["roles_allowed"]) == READERS


@pytest.mark.parametrize("name", REPORTS)
async def test_wrong_questions_are_answered_with_what_is_wrong(desk: Office, name: str) -> None:
    wrong: list[dict[str, Any]] = [{"as_of": "yesterday"}, {"as_of": "2026-02-30"}, {"as_of": "9999-12-31"},
                                   {"as_of": "0001-01-01"}, {"currency": "eur"}]  # fmt: skip
    wrong += {
        "ageing": [{"limit": 0}], "lateness": [{"limit": 10_001}], "expected-cash": [{"weeks": 0}, {"weeks": 105}]
    }.get(name, [{"days": 0}, {"days": 1_101}])  # fmt: skip
    for asked in wrong:
        answer = await desk.get("auditor", f"/v1/reports/{name}", **asked)
        assert answer.status_code == 422, (asked, answer.text)
        assert answer.json()["errors"][0]["field"] == f"query.{next(iter(asked))}"


async def test_the_verdict_on_money(desk: Office) -> None:
    await keep(desk.desk.books.database, owing(0))
    answer = await desk.get("accounts_receivable", "/v1/invoices/verification")
    (total,) = answer.json()["currencies"]
    assert (total["invoiced"], total["open"], total["difference"]) == (euros(TOTAL), euros(TOTAL), euros(0))
    database = desk.desk.books.database
    await database.write(lambda connection: connection.execute(text("UPDATE invoices SET open_minor = 1")))
    told = (await desk.get("auditor", "/v1/invoices/verification")).json()
    assert told["sound"] is False
    assert told["currencies"][0]["difference"] == euros(TOTAL - 1)
    assert {"where": "currency EUR", "what": "open amount", "expected": TOTAL, "found": 1} in told["differences"]
    assert (await desk.get("account_manager", "/v1/invoices/verification")).status_code == 403
