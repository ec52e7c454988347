"""Statements of account in both databases: equal to the ledger at any month's end, once for ever, answered in whole."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio
from sqlalchemy import select

from infra.db import Database, open_database, table_of
from infra.gateways.mailer import OutboxMailer
from infra.gateways.statements import SqlReconciler, facts_of
from infra.stores.alerts import AlertStore
from infra.stores.pages import Row
from infra.stores.reconciliation_answers import Answer, AnswerStore, NoSuchReconciliation, NotOpen
from infra.stores.reconciliations import ReconciliationStore
from models.instants import DAY, plus
from models.messages.receivables import LetterInput, LetterResult
from models.messages.reconciliation import DeadlinesInput, Reminded, StatementsInput, StatementsWritten
from models.reconciliation import Claim, ItemKind, WrongMonth, bounds, reconciliation_id
from models.tables.money_books import InvoiceRow, LedgerEntryRow
from models.tables.papers import LetterRow
from models.tables.reconciliations import ReconciliationRow
from tests.infra.test_receivable_reports import BookedWorld, collected, keep
from tests.journeys import furnish
from tests.models.world import delivered

NOW = "2026-12-02T06:00:00Z"
MONTHS = tuple(f"2026-{month:02d}" for month in range(1, 12))
LETTERS, ROWS = table_of(LetterRow), table_of(ReconciliationRow)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def each_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest_asyncio.fixture
async def both(each_url: str) -> AsyncIterator[Database]:
    """SQLite and PostgreSQL, whatever the variant; furnished."""
    opened = open_database(each_url, synchronous="NORMAL")
    await furnish(opened)
    yield opened
    await opened.close()


class Postman:
    """A mailer that keeps what it is asked, and fails as it is told."""

    def __init__(self, fails: tuple[str, ...] = ()) -> None:
        self.asked: list[LetterInput] = []
        self.fails = fails

    async def send_letter(self, asked: LetterInput) -> LetterResult:
        if asked.customer_id in self.fails:
            raise ValueError("no such language")
        self.asked.append(asked)
        return LetterResult(f"{asked.deal_id}.pdf", "d" * 64)


def asked(month: str = "2026-03", *, test: bool = False, after: str = "", limit: int = 50) -> StatementsInput:
    return StatementsInput(month, NOW, test, after, limit)


async def owing(database: Database, *customers: str, test: bool = False, first: int = 1) -> list[BookedWorld]:
    """A deal each, delivered and invoiced in January and owed ever since."""
    worlds = []
    for number, customer in enumerate(customers, start=first):
        world = delivered(BookedWorld(number=number, customer=customer, test=test, now="2026-01-08T08:00:00Z"))
        assert isinstance(world, BookedWorld)
        worlds.append(world)
    await keep(database, *worlds)
    return worlds


async def reconciled(database: Database, month: str = "2026-03") -> list[Row]:
    return await database.rows(select(ROWS).where(ROWS.c.month == month).order_by(ROWS.c.customer_id))


async def ledger_balances(database: Database, month: str) -> dict[tuple[str, str], int]:
    """What each customer owed at a month's end, counted from invoices and entries one by one."""
    _, end = bounds(month)
    owed: dict[tuple[str, str], int] = defaultdict(int)
    for invoice in await database.rows(select(table_of(InvoiceRow))):
        if invoice["issued_at"] < end:
            owed[invoice["customer_id"], invoice["currency"]] += invoice["total_minor"]
    for entry in await database.rows(select(table_of(LedgerEntryRow))):
        if entry["at"] < end:
            sign = 1 if entry["kind"] == "reversal" else -1
            booked = entry["amount_minor"] + entry["unapplied_minor"]
            owed[entry["customer_id"], entry["currency"]] += sign * booked
    return owed


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.uncounted
async def test_rows_balance_and_ledger_agree_at_every_months_end(both):
    """Random deals whose money goes any way: what statements say is what the ledger adds up to, on any past day."""
    await keep(both, *(collected(number, Random(number)) for number in range(1, 13)))
    mailer = Postman()
    reconciler = SqlReconciler(both, mailer, 14)
    nonzero = 0
    for month in MONTHS:
        await reconciler.write_statements(asked(month, test=True))
        owed = await ledger_balances(both, month)
        stated = {}
        for row in await reconciled(both, month):
            rows = [value.split("|") for name, value in facts_of(row).items() if name.startswith("row_")]
            assert sum(int(cells[-1]) for cells in rows) == row["our_balance_minor"]
            stated[row["customer_id"], row["currency"]] = row["our_balance_minor"]
        assert {account: balance for account, balance in owed.items() if balance} == {
            account: balance for account, balance in stated.items() if balance
        }, month
        nonzero += sum(balance != 0 for balance in stated.values())
    assert nonzero > 10
    assert len({letter.effect_key for letter in mailer.asked}) == len(mailer.asked)


async def test_one_statement_per_customer_currency_and_month_whoever_writes(both, tmp_path):
    await owing(both, "c-1", "c-2", "c-3")
    workers = [SqlReconciler(both, OutboxMailer(both, tmp_path / "outbox"), 14) for _ in range(4)]
    done = await asyncio.gather(*(worker.write_statements(asked()) for worker in workers))
    assert sum(each.written for each in done) == 3
    assert await workers[0].write_statements(asked()) == StatementsWritten(0, "")
    letters = await both.rows(select(LETTERS).order_by(LETTERS.c.customer_id))
    rows = await reconciled(both)
    assert [row["effect_key"] for row in letters] == [f"reconciliation:c-{n}:EUR:2026-03" for n in (1, 2, 3)]
    assert [(row["letter_name"], row["letter_digest"]) for row in rows] == [(r["name"], r["digest"]) for r in letters]
    assert {row["state"] for row in rows} == {"open"}
    assert {row["deadline"] for row in rows} == {plus(NOW, 14 * DAY)}
    text = (tmp_path / "outbox" / rows[0]["letter_name"].replace(".pdf", ".txt")).read_text()
    assert rows[0]["id"] in text
    assert "31. März 2026" in text.replace("\u00a0", " ")


async def test_batches_join_and_each_customer_is_written_to_once(both):
    await owing(both, *(f"c-{number}" for number in range(1, 8)))
    mailer, after, rounds = Postman(), "", 0
    reconciler = SqlReconciler(both, mailer, 14)
    while True:
        done = await reconciler.write_statements(asked(after=after, limit=3))
        rounds, after = rounds + 1, done.after
        if not after:
            break
    assert rounds == 3
    assert [letter.customer_id for letter in mailer.asked] == [f"c-{number}" for number in range(1, 8)]


async def test_only_real_deals_count_unless_a_rehearsal_is_asked_for(both):
    await owing(both, "c-1")
    await owing(both, "c-1", "c-2", test=True, first=5)
    mailer = Postman()
    reconciler = SqlReconciler(both, mailer, 14)
    await reconciler.write_statements(asked())
    assert [(letter.customer_id, letter.deal_id[:2]) for letter in mailer.asked] == [("c-1", "R-")]
    await reconciler.write_statements(asked(test=True))
    # filed under a test deal, whose letters no dispatcher sends
    assert [(letter.customer_id, letter.deal_id) for letter in mailer.asked[1:]] == [("c-1", "D-5"), ("c-2", "D-6")]
    assert [row["our_balance_minor"] for row in await reconciled(both)] == [190_400] * 3


async def test_a_settled_account_gets_a_statement_for_the_month_in_which_it_moved(both):
    world = delivered(BookedWorld(number=1, test=False, now="2026-01-08T08:00:00Z"))
    assert isinstance(world, BookedWorld)
    world.advance(40 * DAY)
    world.pay()
    await keep(both, world)
    paid_in = world.now[:7]
    reconciler = SqlReconciler(both, Postman(), 14)
    found = {}
    for month in MONTHS[:5]:
        await reconciler.write_statements(asked(month))
        found[month] = [row["our_balance_minor"] for row in await reconciled(both, month)]
    assert found["2026-01"] == [190_400]
    assert found[paid_in] == [0]
    assert found["2026-05"] == []


async def test_a_month_that_has_not_ended_is_refused(both):
    reconciler = SqlReconciler(both, Postman(), 14)
    for month in ("2026-12", "2027-01", "soon"):
        with pytest.raises(WrongMonth):
            await reconciler.write_statements(asked(month))


async def test_who_goes_on_after_a_crash_writes_what_was_decided_before(both):
    (world,) = await owing(both, "c-1")
    store = ReconciliationStore(both)
    rows, _ = await store.begin("2026-03", NOW, False, "", 10, 14)
    world.advance(DAY)
    world.do("accounts_receivable", "record_payment", invoice="2026-001001", amount_minor=400, currency="EUR")
    mailer = Postman()
    done = await SqlReconciler(both, mailer, 30).write_statements(asked())
    assert done.written == 1
    (letter,) = mailer.asked
    assert (letter.at, letter.facts) == (NOW, facts_of(rows[0]))


async def test_one_letter_that_cannot_be_written_keeps_back_no_other(both):
    await owing(both, "c-1", "c-2", "c-3")
    mailer = Postman(fails=("c-2",))
    reconciler = SqlReconciler(both, mailer, 14)
    for _ in range(2):
        await reconciler.write_statements(asked())
    assert [letter.customer_id for letter in mailer.asked] == ["c-1", "c-3"]
    (alert,) = (await AlertStore(both).page(open_only=True)).rows
    assert (alert["kind"], alert["subject"]) == ("statement_not_written", number("c-2"))
    mailer.fails = ()
    assert (await reconciler.write_statements(asked())).written == 1


async def test_a_missing_answer_rings_once_for_ever(both):
    await owing(both, "c-1", "c-2")
    reconciler, alerts = SqlReconciler(both, Postman(), 14), AlertStore(both)
    await reconciler.write_statements(asked())
    await AnswerStore(both).take(number("c-2"), Answer(190_400, (), "k", "u"), NOW)
    assert await reconciler.ring_unanswered(DeadlinesInput(plus(NOW, 14 * DAY))) == Reminded(0)
    late = plus(NOW, 14 * DAY + 1)
    told = await asyncio.gather(*(reconciler.ring_unanswered(DeadlinesInput(late)) for _ in range(3)))
    assert sum(each.rung for each in told) == 1
    (alert,) = (await alerts.page(open_only=True)).rows
    assert (alert["kind"], alert["subject"]) == ("reconciliation_unanswered", number("c-1"))
    assert "190" not in alert["text"], "who must not see amounts reads alerts, too"
    await alerts.acknowledge(alert["id"], "u", late)
    assert await reconciler.ring_unanswered(DeadlinesInput(plus(late, DAY))) == Reminded(0)


async def test_an_answer_ends_the_ringing(both):
    await owing(both, "c-1")
    reconciler = SqlReconciler(both, Postman(), 14)
    await reconciler.write_statements(asked())
    await reconciler.ring_unanswered(DeadlinesInput(plus(NOW, 20 * DAY)))
    await AnswerStore(both).take(number("c-1"), Answer(190_400, (), "k", "u"), plus(NOW, 21 * DAY))
    assert (await AlertStore(both).page(open_only=True)).rows == []
    assert [row["state"] for row in await reconciled(both)] == ["confirmed"]


async def test_an_answer_is_taken_once(both):
    await owing(both, "c-1")
    await SqlReconciler(both, Postman(), 14).write_statements(asked())
    answers, store = AnswerStore(both), ReconciliationStore(both)
    claims = (
        Claim(ItemKind.AMOUNT, "2026-001001", 100_000),
        Claim(ItemKind.MISSING_PAYMENT, "", 10_000, "wire 7"),
        Claim(ItemKind.UNKNOWN_INVOICE, "X-9", 5_000),
    )
    given = Answer(90_000, claims, "k", "u")
    await asyncio.gather(*(answers.take(number("c-1"), given, NOW) for _ in range(3)))
    items = await store.items(number("c-1"))
    told = [(item["kind"], item["deal_id"], item["ours_minor"], item["disputed_minor"]) for item in items]
    assert told == [
        ("amount", "D-1", 190_400, 90_400),
        ("missing_payment", "", 0, 0),
        ("unknown_invoice", "", 0, 0),
        ("other", "", 0, 0),
    ]
    # 190,400 - 90,400 - 10,000 + 5,000 = 95,000, and they say 90,000
    assert (items[-1]["theirs_minor"], items[-1]["note"][-6:]) == (5_000, ": less")
    for other in (Answer(90_000, claims, "k2", "u"), Answer(90_000, claims, "k", "v")):
        with pytest.raises(NotOpen):
            await answers.take(number("c-1"), other, NOW)
    with pytest.raises(NoSuchReconciliation):
        await answers.take("R-0", given, NOW)
    with pytest.raises(NotOpen, match="nobody has seen to"):
        await answers.settle(number("c-1"), "done", "u", NOW)


async def test_two_items_about_one_invoice_dispute_no_more_than_there_is(both):
    await owing(both, "c-1")
    await SqlReconciler(both, Postman(), 14).write_statements(asked())
    twice = tuple(Claim(ItemKind.AMOUNT, "2026-001001", 60_000, note=why) for why in "ab")
    await AnswerStore(both).take(number("c-1"), Answer(0, twice, "k", "u"), NOW)
    items = await ReconciliationStore(both).items(number("c-1"))
    assert [item["disputed_minor"] for item in items] == [130_400, 60_000, 0]


async def test_two_hundred_invoices_and_the_rest(both, tmp_path: Path):
    world = (await owing(both, "c-1"))[0]
    (row,) = await both.rows(select(table_of(InvoiceRow)))
    more = [
        row | {"number": f"L-{n:04d}", "effect_key": f"l{n}", "open_minor": 1, "total_minor": 1} for n in range(250)
    ]
    await both.write(lambda connection: connection.execute(table_of(InvoiceRow).insert(), more))
    assert world.deal.receivables
    done = await SqlReconciler(both, OutboxMailer(both, tmp_path), 14).write_statements(asked())
    assert done.written == 1
    (row,) = await reconciled(both)
    assert (row["our_balance_minor"], len(row["lines"])) == (190_650, 251)
    text = (tmp_path / row["letter_name"].replace(".pdf", ".txt")).read_text()
    assert "weitere Rechnungen" in text
    assert text.count("L-0") <= 200
    assert "Weitere Rechnungen: 51" in " ".join(text.split())


def number(customer: str, month: str = "2026-03") -> str:
    return reconciliation_id(customer, "EUR", month, False)
