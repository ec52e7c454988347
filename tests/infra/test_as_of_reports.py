"""Reports with `known_at` out of the tables: equal to what the timelines tell at any two times."""

from collections import Counter
from datetime import date
from random import Random

import pytest
from sqlalchemy import text

from infra.db import Database
from infra.stores.receivable_reports import AsOf, ReceivableReportStore
from models.as_of import Times, as_known, moment, positions
from models.errors import MoveRefused
from models.instants import DAY, between, plus
from models.policy import DEFAULT
from models.receivable_reports import EVERYBODY, bucket_of
from models.timeline import Entry
from models.visibility import EVERYTHING
from tests.infra.test_receivable_reports import MONEY_ACTS, BookedWorld, asked_of, keep
from tests.models.random_acts import somebody
from tests.models.world import delivered

TOTAL = 190_400


def back_dated(number: int, rng: Random, acts: int = 25) -> BookedWorld:
    """A delivered deal whose money is booked days after the bank had it."""
    begins = f"2026-01-{rng.randint(5, 25):02d}T08:00:00Z"
    world = delivered(BookedWorld(number=number, customer=f"c-{rng.randint(1, 3)}", now=begins))
    assert isinstance(world, BookedWorld)
    for _ in range(acts):
        world.later(rng.choice((1, 3_600, DAY, 3 * DAY, 9 * DAY)))
        action = rng.choice(MONEY_ACTS)
        asked = asked_of(rng, world, action)
        day = plus(world.now, -rng.randrange(15) * DAY)[:10]
        asked |= {"record_payment": {"received_on": day}, "reverse_payment": {"returned_on": day}}.get(action, {})
        try:
            world.act(somebody(rng, world.deal, action), action, **asked)
        except (MoveRefused, KeyError):
            continue
    return world


def told_late(number: int) -> BookedWorld:
    """A delivered deal whose payment of 1 March is booked on the 10th."""
    world = delivered(BookedWorld(number=number, customer="c-1", now="2026-02-01T08:00:00Z"))
    assert isinstance(world, BookedWorld)
    world.later(between(world.now, "2026-03-10T08:00:00Z"))
    owed = world.deal.receivables[0]
    paid = {"invoice": owed.number, "amount_minor": 1_000, "currency": owed.currency, "received_on": "2026-03-01"}
    world.do("accounts_receivable", "record_payment", **paid)
    return world


def aged(timelines: list[list[Entry]], day: str, known_at: str) -> dict[str, Counter[int]]:
    """Per customer what was open by its bucket, recounted from timelines."""
    found: dict[str, Counter[int]] = {}
    for entries in timelines:
        if entries[0].at > known_at:
            continue
        seen = as_known(entries, Times(moment(day), known_at), DEFAULT)
        customer = entries[0].events[0]["opened"]["customer"]
        for each in positions(seen):
            late = max(0, (date.fromisoformat(day) - date.fromisoformat(each.due_at[:10])).days)
            for name in (customer, EVERYBODY) if each.open_minor else ():
                found.setdefault(name, Counter())[bucket_of(late)] += each.open_minor
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.uncounted
async def test_ageing_at_any_two_times_is_what_the_timelines_tell(database: Database, seed: int) -> None:
    rng = Random(seed)
    worlds = [*(back_dated(number, rng) for number in range(1, 6)), told_late(6)]
    timelines = (await keep(database, *worlds)).timelines
    store = ReceivableReportStore(database)
    last = max(world.now for world in worlds)
    differs = 0
    for day in (plus("2026-02-20T00:00:00Z", n * 4 * DAY)[:10] for n in range(15)):
        for later in (0, 1, 3, 8, 20, 200):
            known_at = plus(moment(day), later * DAY)
            if known_at[:10] > last[:10]:
                continue
            rows = await store.ageing(AsOf(day, EVERYTHING, test_deals=True, known_at=known_at))
            shown = {row.customer: +Counter(dict(enumerate(row.buckets))) for row in rows}
            assert shown == aged(timelines, day, known_at), (day, known_at)
            then = await store.ageing(AsOf(day, EVERYTHING, test_deals=True))
            differs += later > 0 and rows != then
            if later == 0:
                assert rows == then, "at the end of the day itself both are the same"
    assert differs, "something is learnt later"


async def test_days_sales_outstanding_and_cash_know_of_late_money(database: Database) -> None:
    world = delivered(BookedWorld(number=1))
    assert isinstance(world, BookedWorld)
    world.later(80 * DAY)
    number = world.deal.receivables[0].number
    pay = {"invoice": number, "amount_minor": 100_000, "currency": "EUR", "received_on": "2026-03-10"}
    world.do("accounts_receivable", "record_payment", **pay)
    booked = world.now
    world.later(DAY)
    await keep(database, world)
    store = ReceivableReportStore(database)
    asked = AsOf("2026-03-20", EVERYTHING, test_deals=True)
    for known_at, owed in (("", TOTAL), (plus(booked, -1), TOTAL), (booked, TOTAL - 100_000)):
        knowing = AsOf(asked.day, asked.scope, test_deals=True, known_at=known_at)
        (turnover,) = await store.turnover(knowing, 90)
        assert (turnover.ending_minor, turnover.sales_minor) == (owed, TOTAL), known_at
        (cash,) = await store.expected_cash(knowing, 4, 3)
        assert cash.open_minor == owed


async def test_an_account_taken_over_was_owed_before_it_was_known(database: Database) -> None:
    world = BookedWorld(number=1, now="2026-05-04T08:00:00Z")
    world.do("accounts_receivable", "take_over_account")
    old = {"number": "SAP-7", "amount_minor": 80_000, "issued_on": "2026-02-01", "due_on": "2026-03-03"}
    world.do("accounts_receivable", "bring_invoice", **old)
    await keep(database, world)
    async with database.begin() as connection:
        await connection.execute(text("UPDATE invoices SET number = 'SAP-7'"))
    store = ReceivableReportStore(database)
    for known_at, owed in (("2026-05-04T07:59:59Z", []), ("2026-05-04T08:00:00Z", [80_000])):
        asked = AsOf("2026-04-01", EVERYTHING, test_deals=True, known_at=known_at)
        assert [row.open_minor for row in await store.ageing(asked) if row.customer == EVERYBODY] == owed
        assert [row.sales_minor for row in await store.turnover(asked, 90)] == owed
