"""The monthly reconciliation on the real engine: a schedule writes statements once, answers reach the deals."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from temporalio.client import ScheduleBackfill, ScheduleOverlapPolicy
from temporalio.worker import Replayer

from infra.db import table_of
from infra.desk.callers import OPERATOR, Caller
from infra.desk.clocks import wall_clock
from infra.desk.errors import Conflict, Invalid
from infra.desk.service import DealDesk
from infra.payloads import DATA_CONVERTER
from infra.schedules import keep_schedules, schedule_id
from infra.stores.reconciliation_answers import Answer
from models.messages.reconciliation import Reconcile, Reconciled
from models.reconciliation import Claim, ItemKind, bounds, month_before
from models.tables.masters import CustomerRow
from models.tables.money_books import InvoiceRow
from models.tables.papers import LetterRow
from tests import journeys
from tests.engine import Engine
from worker import STRICT
from workflows.registry import WORKFLOWS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

AR = Caller("u-accounts_receivable", ("accounts_receivable",))
DIRECTOR = Caller("u-commercial_director", ("commercial_director",))
LETTERS, INVOICES = table_of(LetterRow), table_of(InvoiceRow)


def last_month() -> str:
    return month_before(wall_clock())


async def owed_since_last_month(engine: Engine, *deals: str) -> dict[str, str]:
    """Real deals of c-1, c-5, c-6 ..., delivered now, whose invoices are dated back into last month."""
    numbers = {}
    for place, deal in enumerate(deals):
        customer = "c-1" if not place else f"c-{place + 4}"
        if place:
            await new_customer(engine, customer)
        await journeys.delivered(engine, deal, test=False, customer=customer, group=f"g-{customer[2:]}")
        numbers[deal] = (await journeys.deal_of(engine, deal)).receivables[0].number
    await date_back(engine)
    return numbers


async def new_customer(engine: Engine, customer: str) -> None:
    row = journeys._customer(customer)
    await engine.database.write(lambda connection: connection.execute(insert(CustomerRow), row))


async def date_back(engine: Engine) -> None:
    start, _ = bounds(last_month())
    back = update(INVOICES).values(issued_at=start)
    await engine.database.write(lambda connection: connection.execute(back))


async def triggered(engine: Engine, times: int) -> list[Reconciled]:
    """What the runs of the monthly schedule did, as soon as there are that many."""
    handle = engine.client.get_schedule_handle(schedule_id(engine.settings, "monthly-reconciliation"))
    await handle.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    return await runs_of(engine, handle, times)


async def runs_of(engine: Engine, handle: Any, times: int) -> list[Reconciled]:
    async with asyncio.timeout(60):
        while len(actions := (await handle.describe()).info.recent_actions) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    started = [each.action for each in actions]
    return [
        await engine.client.get_workflow_handle(
            each.workflow_id, run_id=each.first_execution_run_id, result_type=Reconciled
        ).result()
        for each in started
    ]


async def letters(engine: Engine) -> list[Any]:
    query = select(LETTERS).where(LETTERS.c.kind == "statement").order_by(LETTERS.c.customer_id)
    return await engine.database.rows(query)


def desk_of(engine: Engine) -> DealDesk:
    return DealDesk(engine.database, engine.client, engine.settings)


@pytest.mark.usefixtures("on_the_wall_clock")
async def test_a_month_from_the_schedule_to_the_last_answer(engine: Engine) -> None:
    numbers = await owed_since_last_month(engine, "D-real", "RC-other", "D-third")
    await new_customer(engine, "c-9")
    await journeys.delivered(engine, "D-test", customer="c-9", group="g-9", test=True)
    await date_back(engine)
    await keep_schedules(engine.client, engine.settings)
    month = last_month()

    assert await triggered(engine, 1) == [Reconciled(month, 3)]
    first = await letters(engine)
    assert [row["customer_id"] for row in first] == ["c-1", "c-5", "c-6"]
    assert await triggered(engine, 2) == [Reconciled(month, 3), Reconciled(month, 0)]
    assert await letters(engine) == first, "twice changes nothing"

    desk = desk_of(engine)
    found = {row["customer"]: row for row in (await desk.reconciling.page(AR, month)).rows}
    assert {row["letter_digest"] for row in found.values()} == {row["digest"] for row in first}
    whole = await desk.reconciling.get(AR, found["c-1"]["id"])
    owed = whole["our_balance"]["amount_minor"]
    assert sum(line["open"]["amount_minor"] for line in whole["lines"]) == owed > 0

    agreed = await desk.reconciling.answer(AR, found["c-5"]["id"], owed, (), "agreed")
    assert (agreed["state"], agreed["items"]) == ("confirmed", [])

    await differs(engine, desk, found["c-1"]["id"], numbers["D-real"], owed)
    await a_missing_payment(engine, desk, found["c-6"]["id"], numbers["D-third"], owed)


async def differs(engine: Engine, desk: DealDesk, number: str, invoice: str, owed: int) -> None:
    """A difference about an open invoice becomes a dispute in the deal, once."""
    claims = (Claim(ItemKind.AMOUNT, invoice, owed - 1_000, "their 77", "one box was damaged"),)
    first = await desk.reconciling.answer(AR, number, owed - 1_000, claims, "differs")
    told = await desk.reconciling.answer(AR, number, owed - 1_000, claims, "differs")
    assert told == first
    (item,) = told["items"]
    assert (told["state"], item["became"], item["dispute"]) == ("differs", "dispute", 1)
    (dispute,) = (await journeys.deal_of(engine, "D-real")).receivables[0].disputes
    assert (dispute.amount_minor, dispute.settled, dispute.evidence) == (1_000, False, "their 77")
    assert dispute.reason == f"reconciliation {last_month()}: one box was damaged ({number}/1)"
    with pytest.raises(Conflict, match="was answered"):
        await desk.reconciling.answer(AR, number, owed, (), "another")
    done = await desk.reconciling.settle(DIRECTOR, number, "the box was credited")
    assert (done["state"], done["note"]) == ("settled", "the box was credited")


async def a_missing_payment(engine: Engine, desk: DealDesk, number: str, invoice: str, owed: int) -> None:
    """A payment that we do not have is a task, and no dispute."""
    claims = (Claim(ItemKind.MISSING_PAYMENT, invoice, 5_000, "wire 8"),)
    told = await desk.reconciling.answer(AR, number, owed - 5_000, claims, "paid")
    assert [item["became"] for item in told["items"]] == ["task"]
    assert (await journeys.deal_of(engine, "D-third")).receivables[0].disputes == ()
    open_alerts = (await desk.alarms.page(AR, True, "", 50)).rows
    assert [(row["kind"], row["subject"]) for row in open_alerts] == [("reconciliation_difference", f"{number}/1")]
    done = await desk.reconciling.settle(AR, number, "found and booked")
    assert (done["state"], done["items"][0]["became"]) == ("settled", "corrected")
    assert (await desk.alarms.page(AR, True, "", 50)).rows == []


async def test_what_the_deal_refuses_is_a_task(engine: Engine) -> None:
    numbers = await owed_since_last_month(engine, "D-paid")
    desk = desk_of(engine)
    run = await desk.reconciling.run(OPERATOR)
    assert (run.finished, run.written) == (True, 1)
    assert (await desk.reconciling.run(OPERATOR)).written == 0
    (row,) = (await desk.reconciling.page(AR)).rows
    owed = row["our_balance"]["amount_minor"]
    await desk.reconciling._answers.take(row["id"], _disputing(numbers["D-paid"], owed), wall_clock())
    await journeys.pay_all(engine, "D-paid")
    answer = _disputing(numbers["D-paid"], owed)
    told = await desk.reconciling.answer(AR, row["id"], answer.theirs_minor, answer.claims, answer.key)
    (item,) = told["items"]
    assert (item["became"], item["dispute"]) == ("task", 0)
    assert "open" in item["outcome"]


def _disputing(invoice: str, owed: int) -> Answer:
    return Answer(owed - 700, (Claim(ItemKind.AMOUNT, invoice, owed - 700),), "k", AR.user)


async def test_a_run_for_a_month_that_is_none_is_refused_and_does_not_try_for_ever(engine: Engine) -> None:
    desk = desk_of(engine)
    this_month = wall_clock()[:7]
    for month in ("soon", this_month):
        with pytest.raises(Invalid):
            await desk.reconciling.run(OPERATOR, month)
    handle = await desk.reconciling._start(Reconcile(this_month))
    with pytest.raises(Exception, match="Workflow execution failed"):
        await asyncio.wait_for(handle.result(), 20)


@pytest.mark.usefixtures("on_the_wall_clock")
async def test_a_missed_month_is_made_up_for_as_that_month(engine: Engine) -> None:
    """A start that comes late is about the month before it was due, not before today."""
    await owed_since_last_month(engine, "RC-late")
    await keep_schedules(engine.client, engine.settings)
    handle = engine.client.get_schedule_handle(schedule_id(engine.settings, "monthly-reconciliation"))
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last = today.replace(day=1) - timedelta(days=1)
    await handle.backfill(ScheduleBackfill(last.replace(day=1), last))
    (done,) = await runs_of(engine, handle, 1)
    assert done == Reconciled(month_before(last.isoformat()), 0)


async def test_histories_replay_in_the_strict_sandbox(engine: Engine) -> None:
    await owed_since_last_month(engine, "D-again")
    desk = desk_of(engine)
    await desk.reconciling.run(OPERATOR)
    queue = engine.settings.task_queue
    rung = await engine.client.execute_workflow("ReconciliationDeadlines", id=f"{queue}-d", task_queue=queue)
    sent = await engine.client.execute_workflow("PostOffice", id=f"{queue}-p", task_queue=queue)
    assert (rung, sent["sent"]) == ({"rung": 0}, 0)
    replayer = Replayer(workflows=list(WORKFLOWS), data_converter=DATA_CONVERTER, workflow_runner=STRICT)
    for name in (f"{queue}-reconciliation-{last_month()}", f"{queue}-d", f"{queue}-p"):
        await replayer.replay_workflow(await engine.client.get_workflow_handle(name).fetch_history())
