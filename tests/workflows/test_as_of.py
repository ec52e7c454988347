"""Time travel on the real engine: a deal whose bank line comes late, whose payment is back-dated and goes back, at any
two times, against a count of events by hand."""

from pathlib import Path
from typing import Any

import pytest

from infra.desk.callers import Caller
from infra.desk.service import DealDesk
from infra.desk.time_travel import TimeTravel
from infra.desk.two_times import Asked
from infra.stores.receivable_reports import AsOf, ReceivableReportStore
from models.as_of import Times, as_known, moment, positions
from models.instants import DAY, plus
from models.policy import DEFAULT
from models.visibility import EVERYTHING
from tests import journeys
from tests.bank.statement_files import Payment
from tests.bank_inbox.paid_deals import CLERK, NORDHOLZ, file_of
from tests.engine import Engine
from tests.models.test_as_of import told_by_hand

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DEAL = "AS-OF-1"
AUDITOR = Caller("u-auditor", ("auditor",))


async def line(desk: DealDesk, number: str, booked_on: str, **payment: Any) -> None:
    """A statement with one entry, which is imported and told to the deal."""
    body = file_of([Payment(booked_on=booked_on, **payment)], number=number, days=(booked_on, booked_on))
    (statement,) = (await desk.bank_inbox.receive(CLERK, body)).statements
    assert [one["state"] for one in statement["outcomes"]] == ["booked"], statement


async def now_of(engine: Engine) -> str:
    return (await journeys.deal_of(engine, DEAL)).updated_at


async def later(engine: Engine, days: int) -> str:
    """The deal's time after so many days, marked by a note."""
    await engine.forward(DEAL, days)
    await engine.act(DEAL, "account_manager", "note", key=f"note-{days}", text=f"{days} days later")
    return await now_of(engine)


async def test_a_late_bank_line_and_a_back_dated_payment_at_any_two_times(engine: Engine, tmp_path: Path) -> None:
    desk = DealDesk(engine.database, engine.client, engine.settings)
    await desk.books.policies.active(journeys.BEGINNING)
    await journeys.delivered(engine, DEAL)
    deal = await journeys.deal_of(engine, DEAL)
    invoice, total = deal.receivables[0].number, deal.receivables[0].total_minor
    part = total // 3
    imported = await later(engine, 70)  # past the due day
    bank_had_it = plus(imported, -9 * DAY)[:10]
    paid = {"text": f"RE {invoice}", "iban": NORDHOLZ, "end_to_end": "E-1"}
    await line(desk, "1", imported[:10], amount_minor=part, valued_on=bank_had_it, **paid)
    booked = await later(engine, 4)
    said: dict[str, Any] = {
        "invoice": invoice,
        "amount_minor": part,
        "currency": "EUR",
        "received_on": plus(booked, -3 * DAY)[:10],
    }
    await engine.act(DEAL, "accounts_receivable", "record_payment", **said)
    returned = await later(engine, 6)
    back = {"valued_on": plus(returned, -2 * DAY)[:10], "end_to_end": "E-1", "reason": "MS03"}
    await line(desk, "2", returned[:10], amount_minor=-part, **back)
    last = await later(engine, 3)

    travel = TimeTravel(desk.books, desk.clock)

    async def owed(at: str, known_at: str) -> int:
        then = await travel.deal(AUDITOR, DEAL, Asked(at, known_at))
        amount: int = then["invoices"][0]["open"]["amount_minor"]
        return amount

    day_after = plus(f"{bank_had_it}T00:00:00Z", DAY)[:10]
    assert await owed(day_after, plus(imported, -60)) == total, "the bank had it, and nobody here knew"
    assert await owed(day_after, last) == total - part
    assert await owed(plus(returned, -DAY)[:10], plus(returned, -60)) == total - 2 * part
    assert await owed(plus(returned, -DAY)[:10], last) == total - part, "by then the bank had taken it back"
    now = await travel.deal(AUDITOR, DEAL, Asked())
    deal = await journeys.deal_of(engine, DEAL)
    assert now["invoices"][0]["open"]["amount_minor"] == deal.open_minor == total - part
    assert now["deal"] == await desk.reading.deal(AUDITOR, DEAL)

    compared = await travel.deal(AUDITOR, DEAL, Asked(day_after, plus(imported, -60)), last)
    assert [each["action"] for each in compared["compared"]["learnt"]] == ["record_payment"]
    entries = await desk.books.timeline.entries(DEAL)
    store = ReceivableReportStore(engine.database)
    checked = 0
    for since in range(-12, 14):
        at = moment(plus(imported, since * DAY)[:10])
        for ahead in (0, 1, 5, 11, 20):
            known_at = plus(at, ahead * DAY)
            by_hand = told_by_hand(entries, at, known_at)
            assert {
                p.number: p.open_minor for p in positions(as_known(entries, Times(at, known_at), DEFAULT))
            } == by_hand
            aged = await store.ageing(AsOf(at[:10], EVERYTHING, test_deals=True, known_at=known_at))
            assert [row.open_minor for row in aged[:1]] == [sum(by_hand.values())]
            checked += by_hand[invoice] != told_by_hand(entries, at, at)[invoice]
    assert checked > 20, "much of this was learnt later"
