"""Four virtual months of receivables on the real engine: every month's end is reported as the timelines tell it."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from infra.gateways.money_audit import MoneyAudit
from models.instants import DAY, plus
from models.parts.receivable import Receivable
from models.tables.masters import CustomerRow
from tests import journeys
from tests.engine import Engine
from tests.receivable_recount import Recount, check_day, recount_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MONTHS = 120


async def more_customers(engine: Engine) -> None:
    """Each in a group of its own: late money of one would hold the goods of the others."""
    rows = [journeys._customer(f"c-{number}") for number in range(5, 9)]
    await engine.database.write(lambda connection: connection.execute(insert(CustomerRow), rows))


async def owed(engine: Engine, deal_id: str) -> Receivable:
    return (await journeys.deal_of(engine, deal_id)).receivables[0]


async def money(engine: Engine, deal_id: str, action: str, amount: int, **more: Any) -> None:
    """Accounts receivable books money on the deal's first invoice."""
    number = (await owed(engine, deal_id)).number
    fields = {"invoice": number, "amount_minor": amount, "currency": "EUR", **more}
    await engine.act(deal_id, "accounts_receivable", action, **fields)


async def paid_in_two_parts(engine: Engine) -> None:
    await journeys.delivered(engine, "R-parts", customer="c-5", group="g-5")
    await engine.forward("R-parts", 50)
    await money(engine, "R-parts", "record_payment", 30_000)
    await engine.forward("R-parts", 23)
    await journeys.pay_all(engine, "R-parts")


async def disputed_and_promised_in_vain(engine: Engine) -> None:
    deal = "R-promise"
    await journeys.delivered(engine, deal, customer="c-6", group="g-6")
    await engine.forward(deal, 20)
    invoice = await owed(engine, deal)
    await engine.act(deal, "account_manager", "dispute", invoice=invoice.number, amount_minor=20_000, reason="damaged")
    await engine.forward(deal, 35)
    await engine.act(
        deal, "accounts_receivable", "settle_dispute", invoice=invoice.number, dispute=1, credit_minor=5_000, reason="x"
    )
    until = plus(invoice.due_at, 30 * DAY)
    await engine.act(
        deal, "account_manager", "promise_to_pay", invoice=invoice.number, amount_minor=30_000, until=until
    )
    await engine.forward(deal, MONTHS - 55)


async def came_back(engine: Engine) -> None:
    deal = "R-back"
    await journeys.delivered(engine, deal, customer="c-7", group="g-7")
    await engine.forward(deal, 5)
    await journeys.pay_all(engine, deal)
    await engine.forward(deal, 5)
    await money(engine, deal, "reverse_payment", 40_000, reason="MD06")
    await engine.forward(deal, MONTHS - 10)


async def paid_by_plan(engine: Engine) -> None:
    deal = "R-plan"
    await journeys.delivered(engine, deal, customer="c-8", group="g-8")
    await engine.forward(deal, 65)
    invoice = await owed(engine, deal)
    half = invoice.open_minor // 2
    plan = [
        {"due_at": plus(invoice.due_at, 20 * DAY), "amount_minor": half},
        {"due_at": plus(invoice.due_at, 80 * DAY), "amount_minor": invoice.open_minor - half},
    ]
    await engine.act(deal, "accounts_receivable", "agree_plan", invoice=invoice.number, instalments=plan)
    await engine.forward(deal, 10)
    await money(engine, deal, "record_payment", half)


def month_ends(recount: Recount) -> list[str]:
    """The last days of the three months that begin when the first invoice is issued."""
    first = min(date.fromisoformat(entries[0].at[:10]) for entries in recount.timelines)
    found: list[date] = []
    day = first + timedelta(days=15)
    while len(found) < 3:
        day += timedelta(days=1)
        if (day + timedelta(days=1)).day == 1:
            found.append(day)
    return [each.isoformat() for each in found]


async def test_every_month_end_is_reported_as_the_timelines_tell_it(engine: Engine) -> None:
    await more_customers(engine)
    for journey in (paid_in_two_parts, disputed_and_promised_in_vain, came_back, paid_by_plan):
        await journey(engine)
    recount = await recount_of(engine.database)
    assert len(recount.timelines) == 4
    found = [await check_day(engine.database, recount, day) for day in month_ends(recount)]
    assert all(one["ageing"] for one in found)
    assert any(one["cash"]["EUR"]["uncertain"] for one in found), "something was disputed at a month's end"
    assert found[-1]["late"], "somebody has paid by the end of the third month"
    assert found[-1]["rungs"] != found[0]["rungs"]
    first = date.fromisoformat(month_ends(recount)[0])
    for days in range(-20, MONTHS, 7):
        await check_day(engine.database, recount, (first + timedelta(days=days)).isoformat())
    assert [str(each) for each in (await MoneyAudit(engine.database).verify()).differences] == []
