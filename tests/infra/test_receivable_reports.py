"""Reports on receivables out of the tables: equal to a recount of the timelines on any day, scoped, and fast."""

import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from infra.db import Database, table_of
from infra.gateways.difference import Difference
from infra.gateways.ledger import SqlLedger
from infra.gateways.money_audit import MoneyAudit
from infra.stores.receivable_reports import AsOf, ReceivableReportStore
from infra.stores.recorder import DatabaseRecorder
from models import codec
from models.deal import open_deal
from models.effects import Request
from models.errors import MoveRefused
from models.instants import DAY
from models.messages.receivables import LedgerEntryInput
from models.messages.records import RecordInput
from models.policy import GOODS
from models.projection import CHILDREN, project
from models.receivable_reports import EVERYBODY
from models.stages.opening import OpenDeal
from models.tables.money_books import InvoiceRow, LedgerEntryRow
from models.tables.projection import DealDisputeRow, DealInvoiceRow, DealRungRow
from models.visibility import EVERYTHING, Scope
from tests.models.random_acts import CROWD, payload, somebody, something
from tests.models.world import PEOPLE, World, delivered
from tests.receivable_recount import Recount, check_day

MONEY_ACTS = (
    "record_payment", "record_payment", "reverse_payment", "reverse_payment", "dispute", "settle_dispute", "credit",
    "promise_to_pay", "promise_to_pay", "agree_plan", "request_write_off", "approve_write_off", "request_legal",
    "approve_legal", "set_off_credit",
)  # fmt: skip


@dataclass
class BookedWorld(World):
    """A deal of any customer that keeps what it asked the ledger to book."""

    entered: list[LedgerEntryInput] = field(default_factory=list)
    customer: str = "c-1"
    number: int = 1
    owner: str = "u-account_manager"
    department: str = "north"
    test: bool = True

    def __post_init__(self) -> None:
        self.invoices = 1_000 * self.number
        opened = OpenDeal(
            "A deal", self.customer, "g-1", self.owner, self.department, "berlin", "EUR", is_test=self.test
        )
        self._keep(open_deal(f"D-{self.number}", opened, PEOPLE["account_manager"], "open", self.policy, self.now))

    def _note(self, asked: Request) -> None:
        super()._note(asked)
        if isinstance(asked, LedgerEntryInput):
            self.entered.append(asked)

    def later(self, seconds: int) -> None:
        """Time passes; ladders and promises come due."""
        self.advance(seconds)


async def keep(database: Database, *worlds: BookedWorld) -> Recount:
    """Deals, their invoices and bookings in the tables; and what their timelines say."""
    recorder, ledger = DatabaseRecorder(database), SqlLedger(database)
    for world in worlds:
        shown = project(world.deal, world.policy)
        await recorder.record(RecordInput(world.deal.id, tuple(world.entries), shown, CHILDREN))
        rows = [
            {"number": f"2026-{1_000 * world.number + place:06d}", "deal_id": asked.deal_id, "kind": asked.kind,
             "customer_id": asked.customer_id, "currency": asked.currency, "total_minor": asked.total_minor,
             "open_minor": asked.total_minor, "issued_at": asked.issued_at, "due_at": asked.due_at,
             "settled_at": "" if asked.total_minor else asked.issued_at, "effect_key": asked.effect_key,
             "lines": codec.encode(asked.lines)}
            for place, asked in enumerate(world.billed, start=1)
        ]  # fmt: skip
        await database.write(partial(_add, table=InvoiceRow, rows=rows))
        for asked in world.entered:
            await ledger.book(asked)
    return Recount([list(world.entries) for world in worlds])


def _add(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table_of(table)), rows)


async def differences(database: Database) -> list[Difference]:
    """What the audit finds; each deal of these tests has a series of its own, which begins anywhere."""
    return [each for each in (await MoneyAudit(database).verify()).differences if not each.where.startswith("series")]


def asked_of(rng: Random, world: BookedWorld, action: str) -> dict[str, Any]:
    """Money that comes in or goes back in parts; else anything."""
    owed = rng.choice(world.deal.receivables)
    most = {"record_payment": owed.open_minor, "reverse_payment": owed.reversible_minor}.get(action, 0)
    if not most or rng.random() < 0.2:
        return payload(rng, world.deal, action, world.now)
    amount = rng.choice((most, rng.randint(1, most), rng.randint(1, most)))
    why = {"reason": "returned"} if action == "reverse_payment" else {}
    return {"invoice": owed.number, "amount_minor": amount, "currency": "EUR", **why}


def collected(number: int, rng: Random, acts: int = 40) -> BookedWorld:
    """A delivered deal whose money goes any way."""
    begins = f"2026-01-{rng.randint(5, 25):02d}T08:00:00Z"
    world = delivered(BookedWorld(number=number, customer=f"c-{rng.randint(1, 3)}", now=begins))
    assert isinstance(world, BookedWorld)
    for _ in range(acts):
        # no two acts in one second: the ledger does not say which of two came first
        world.later(rng.choice((1, 3_600, DAY, 3 * DAY, 9 * DAY)))
        if world.deal.is_closed:
            break
        action = rng.choice(MONEY_ACTS) if rng.random() < 0.8 else something(rng, world.deal)
        actor = somebody(rng, world.deal, action, CROWD)
        try:
            world.act(actor, action, **asked_of(rng, world, action))
        except (MoveRefused, KeyError):
            continue
    return world


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.uncounted
async def test_reports_of_any_day_equal_a_recount_of_the_timelines(database: Database, seed: int) -> None:
    rng = Random(seed)
    recount = await keep(database, *(collected(number, rng) for number in range(1, 9)))
    last = max(entry.at[:10] for entries in recount.timelines for entry in entries)
    days = sorted({(date(2026, 1, 5) + timedelta(days=rng.randrange(240))).isoformat() for _ in range(12)} | {last})
    found = [await check_day(database, recount, day) for day in days]
    assert any(one["ageing"] for one in found)
    assert [str(each) for each in await differences(database)] == []


def owing(number: int, **known: Any) -> BookedWorld:
    """A deal with one unpaid invoice over 190,400, issued on 5 January 2026."""
    world = delivered(BookedWorld(number=number, **known))
    assert isinstance(world, BookedWorld)
    return world


async def opened(database: Database, scope: Scope = EVERYTHING, **asked: Any) -> dict[str, int]:
    """Customer to what it owed on the last day of January."""
    rows = await ReceivableReportStore(database).ageing(AsOf("2026-01-31", scope, **asked))
    return {row.customer: row.open_minor for row in rows if row.customer != EVERYBODY}


async def test_who_counts_in_which_report(database: Database) -> None:
    await keep(
        database,
        owing(1, customer="c-1", test=False),
        owing(2, customer="c-2", test=False, owner="u-stranger", department="south"),
        owing(3, customer="c-3"),
    )
    north, nobody = Scope("department", "u-head", "north"), Scope("none", "u-admin", "")
    assert await opened(database) == {"c-1": 190_400, "c-2": 190_400}
    assert set(await opened(database, test_deals=True)) == {"c-1", "c-2", "c-3"}
    assert set(await opened(database, north)) == {"c-1"}
    assert set(await opened(database, Scope("own", "u-stranger", "south"))) == {"c-2"}
    assert await opened(database, nobody) == {}
    assert set(await opened(database, customer="c-2")) == {"c-2"}
    assert await opened(database, currency="USD") == {}
    store = ReceivableReportStore(database)
    asked = AsOf("2026-01-31", north)
    (sold,) = await store.turnover(asked, 90)
    (cash,) = await store.expected_cash(asked, 4, 3)
    assert (sold.sales_minor, cash.open_minor) == (190_400, 190_400)
    assert await store.lateness(asked) == ([], {})


async def test_an_invoice_that_was_settled_and_is_open_again_counts_on_each_day_as_it_was(database: Database) -> None:
    world = owing(1, test=False)
    world.advance(5 * DAY)
    world.pay()
    world.advance(5 * DAY)
    number = world.deal.receivables[0].number
    world.do(
        "accounts_receivable", "reverse_payment", invoice=number, amount_minor=190_400, currency="EUR", reason="R-4"
    )
    world.advance(80 * DAY)
    world.pay()
    recount = await keep(database, world)
    store = ReceivableReportStore(database)
    for day, owed in (("2026-01-09", 1), ("2026-01-10", 0), ("2026-01-14", 0), ("2026-01-15", 1), ("2026-04-05", 0)):
        rows = await store.ageing(AsOf(day, EVERYTHING))
        assert [row.open_minor for row in rows] == [190_400] * (2 * owed), day
    for day, median in (("2026-01-14", -55), ("2026-01-15", None), ("2026-04-05", 30)):
        late, _ = await store.lateness(AsOf(day, EVERYTHING))
        assert [row.median_days for row in late[1:]] == ([] if median is None else [median]), day
    await check_day(database, recount, "2026-02-01")


async def test_rungs_are_counted_by_day_customer_and_currency(database: Database) -> None:
    for number, customer in ((1, "c-1"), (2, "c-2")):
        world = owing(number, customer=customer, test=False)
        world.advance((60 + 8 * number) * DAY)
        await keep(database, world)
    store = ReceivableReportStore(database)

    async def rungs(day: str, **asked: Any) -> set[tuple[str, int]]:
        return set((await store.lateness(AsOf(day, EVERYTHING, **asked)))[1].items())

    early = {("announce_due", 2), ("fall_due", 2), ("remind_payment", 2)}
    assert await rungs("2026-03-10") == early
    assert await rungs("2026-12-31") >= early | {("dun_first", 2), ("dun_second", 1)}
    assert ("dun_second", 1) in await rungs("2026-12-31", customer="c-2", currency="EUR")
    assert ("dun_second", 1) not in await rungs("2026-12-31", customer="c-1")
    assert await rungs("2026-12-31", currency="USD") == set()


async def test_what_was_handed_to_legal_is_expected_on_no_day(database: Database) -> None:
    world = owing(1, test=False, policy=GOODS)
    world.advance(150 * DAY)
    assert world.deal.receivables[0].state == "with_legal"
    recount, store = await keep(database, world), ReceivableReportStore(database)
    handed = next(each.at[:10] for each in world.deal.receivables[0].reached if each.rung == "hand_to_legal")
    before = (date.fromisoformat(handed) - timedelta(days=1)).isoformat()
    for day, legal in ((before, 0), (handed, 190_400)):
        (cash,) = await store.expected_cash(AsOf(day, EVERYTHING), 4, 3)
        assert (cash.legal_minor, cash.weeks[0].expected_minor) == (legal, 190_400 - legal), day
        await check_day(database, recount, day)


def many(count: int) -> list[tuple[Any, list[dict[str, Any]]]]:
    """So many invoices of 2,000 customers over 600 days, four of five paid in one or two parts, some disputed."""
    rng = Random(7)
    invoices, entries, shown, disputes, rungs = [], [], [], [], []
    first = date(2025, 1, 1)
    instants = [f"{first + timedelta(days=n)}T08:00:00Z" for n in range(800)]
    for n in range(count):
        ids = {"deal_id": f"D-{n % (count // 2)}", "customer_id": f"c-{n % 2_000}", "currency": "EUR"}
        number, total, issued = f"2025-{n:06d}", rng.randrange(1_000, 1_000_000), rng.randrange(600)
        late, left, parts = rng.randrange(-10, 90), total, rng.choice((1, 2)) * (rng.random() < 0.8)
        for part in range(parts):
            amount = left if part == parts - 1 else total // 2
            left -= amount
            entries.append(
                ids | {"invoice": number, "kind": "payment", "amount_minor": amount, "unapplied_minor": 0,
                       "reference": "", "at": instants[issued + 30 + late + part], "effect_key": f"e-{n}-{part}"}
            )  # fmt: skip
        same = {"kind": "delivery", "total_minor": total, "open_minor": left, "issued_at": instants[issued],
                "due_at": instants[issued + 30], "settled_at": entries[-1]["at"] if parts else ""}  # fmt: skip
        invoices.append(ids | same | {"number": number, "effect_key": f"i-{n}", "lines": []})
        nothing = ("credited", "written_off", "disputed", "unapplied", "interest", "charged", "waived")
        shown.append(
            same | {f"{name}_minor": 0 for name in nothing} | {"deal_id": ids["deal_id"], "number": number,
             "state": "issued", "currency": "EUR", "paid_minor": total - left, "charged_for": "", "is_test": False}
        )  # fmt: skip
        if n % 20 == 0:
            disputes.append(
                {"deal_id": ids["deal_id"], "invoice": number, "number": 1, "currency": "EUR", "amount_minor": 500,
                 "credited_minor": 0, "reason": "", "outcome": "", "raised_at": instants[issued + 5], "due_at": "",
                 "ended_at": "", "is_test": False}
            )  # fmt: skip
        if late > 3:
            rungs.append({"deal_id": ids["deal_id"], "invoice": number, "rung": "remind_payment",
                          "at": instants[issued + 33], "is_test": False})  # fmt: skip
    return [(InvoiceRow, invoices), (LedgerEntryRow, entries), (DealInvoiceRow, shown), (DealDisputeRow, disputes),
            (DealRungRow, rungs)]  # fmt: skip


@pytest.mark.uncounted
async def test_thirty_thousand_invoices_are_reported_in_moments(database: Database) -> None:
    """A hundred thousand take a third of a second for the ageing on a machine that has time, and a second and a half
    for the longest report; the limit only says that it is no matter of minutes."""
    books = many(30_000)
    for table, rows in books:
        await database.write(partial(_add, table=table, rows=rows))
    store, asked = ReceivableReportStore(database), AsOf("2026-03-31", EVERYTHING)
    seconds = {}
    for name, report in (
        ("ageing", lambda: store.ageing(asked)),
        ("turnover", lambda: store.turnover(asked, 90)),
        ("expected cash", lambda: store.expected_cash(asked, 13, 3)),
        ("lateness", lambda: store.lateness(asked)),
    ):
        started = time.process_time()
        await report()
        seconds[name] = round(time.process_time() - started, 2)
    assert max(seconds.values()) < 10, seconds
    entries, end = books[1][1], "2026-04-01"
    paid: dict[str, int] = {}
    for entry in entries:
        if entry["at"] < end:
            paid[entry["invoice"]] = paid.get(entry["invoice"], 0) + entry["amount_minor"]
    owed = sum(i["total_minor"] - paid.get(i["number"], 0) for i in books[0][1] if i["issued_at"] < end)
    assert (await store.ageing(asked))[0].open_minor == owed
