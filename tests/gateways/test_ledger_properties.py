"""Random deals of one group book on the real ledger, on both databases: answers get lost, transactions fail in the
middle, and at the end books and deals agree to the cent, every number stands once, and no series has a gap."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from infra.db import Database, open_database, table_of
from infra.gateways.credit_book import SqlCreditBook
from infra.gateways.ledger import SqlLedger
from infra.gateways.ledger_reading import Balance, LedgerReader
from models.deal import open_deal
from models.effects import Request
from models.messages.finance import GroupHoldInput, GroupHoldsInput
from models.messages.receivables import InvoiceInput, InvoiceResult, LedgerEntryInput
from models.stages.opening import OpenDeal
from models.tables.money_books import GroupHoldRow, InvoiceRow, LedgerEntryRow
from tests.models.random_ledger import POLICY, LateDeal, begun, supplied, waited
from tests.models.world import PEOPLE, World

T = TypeVar("T")

pytestmark = pytest.mark.timeout(300)


class Power(Exception):
    """The power went off."""


class Cut:
    """A connection that fails at its n-th statement, or after the last one."""

    def __init__(self, connection: Connection, statements: int) -> None:
        self._connection, self._left = connection, statements

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        return self._counted(found) if name in ("execute", "scalar") else found

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*asked: Any, **more: Any) -> Any:
            if self._left == 0:
                raise Power
            self._left -= 1
            return method(*asked, **more)

        return call


class Shaky:
    """A database whose next write fails in the middle, when that was asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.fails_at: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def write(self, work: Callable[[Connection], T]) -> T:
        fails_at, self.fails_at = self.fails_at, None
        if fails_at is None:
            return await self._database.write(work)

        def cut(connection: Connection) -> T:
            work(Cut(connection, fails_at))  # type: ignore[arg-type]
            raise Power  # after the last statement, before the commit

        return await self._database.write(cut)


@dataclass
class Books:
    """The real books behind a shaky database."""

    database: Database
    runner: asyncio.Runner
    rng: Random = field(default_factory=lambda: Random(0))
    troubles: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.shaky = Shaky(self.database)
        self.ledger, self.credit = SqlLedger(self.shaky), SqlCreditBook(self.shaky)  # type: ignore[arg-type]
        self.reader = LedgerReader(self.database)

    def ask(self, method: Callable[[Any], Any], asked: Any) -> Any:
        """Ask a book until it answers; now and then the power goes off, or the answer is lost."""
        trouble = self.rng.random()
        if trouble < 0.15:
            self.shaky.fails_at = self.rng.randint(0, 6)
            with pytest.raises(Power):
                self.runner.run(method(asked))
            self.troubles["failed"] += 1
        answer = self.runner.run(method(asked))
        if trouble > 0.8:
            assert self.runner.run(method(asked)) == answer
            self.troubles["lost"] += 1
        return answer


@dataclass
class BookedWorld(World):
    """A deal of a group whose money stands in the real books."""

    books: Books = field(kw_only=True)
    deal_id: str = field(kw_only=True)
    group: str = field(kw_only=True)

    def __post_init__(self) -> None:
        customer, owner = f"c-{self.deal_id}", PEOPLE["account_manager"]
        self.reliability = replace(self.reliability, group=self.group)
        opened = OpenDeal("A deal", customer, self.group, owner.user, "north", "berlin", "EUR", is_test=True)
        self._keep(open_deal(self.deal_id, opened, owner, "open", self.policy, self.now, "", "DE"))

    def _told(self, asked: Any) -> Any:
        if isinstance(asked, GroupHoldsInput):
            return self.books.runner.run(self.books.credit.holds(asked))
        return super()._told(asked)

    def _answer(self, asked: Request) -> object:
        if isinstance(asked, InvoiceInput):
            super()._answer(asked)
            issued: InvoiceResult = self.books.ask(self.books.ledger.issue_invoice, asked)
            return issued
        if isinstance(asked, LedgerEntryInput):
            self.books.ask(self.books.ledger.book, asked)
        elif isinstance(asked, GroupHoldInput):
            self.books.ask(self.books.credit.set_hold, asked)
        return super()._answer(asked)


@pytest.fixture
def books(each_url: str) -> Iterator[Books]:
    with asyncio.Runner() as runner:
        opened: list[Database] = []

        async def start() -> None:  # a database belongs to one event loop
            opened.append(open_database(each_url, synchronous="NORMAL"))

        runner.run(start())
        yield Books(opened[0], runner)
        runner.run(opened[0].close())


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    print_blob=True,
)
@given(seed=st.integers(0, 2**32))
@pytest.mark.uncounted
def test_books_and_deals_agree_whatever_fails(books: Books, seed: int):
    rng = books.rng = Random(seed)
    group = f"g-{next(books.numbers)}"
    worlds = [BookedWorld(POLICY, books=books, deal_id=f"D-{next(books.numbers)}", group=group) for _ in range(2)]
    for world in worlds:  # before the group is held for the first of them
        supplied(rng, world)
    deals = [LateDeal(waited(rng, world)) for world in worlds]
    for _ in range(60):
        late = rng.choice(deals)
        if not late.world.deal.is_closed:
            late.act(rng)
    for late in deals:
        late.check()
        _agrees(books, late.world)
    _nothing_is_lost_or_doubled(books)
    _holds_agree(books, group, worlds)


def _agrees(books: Books, world: World) -> None:
    """What the ledger has of a deal is what the deal knows."""
    rows = books.runner.run(books.reader.invoices(deal_id=world.deal.id))
    told = {r.number: (r.kind, r.total_minor, r.open_minor, r.due_at, r.settled_at) for r in world.deal.receivables}
    names = ("kind", "total_minor", "open_minor", "due_at", "settled_at")
    assert {row["number"]: tuple(row[name] for name in names) for row in rows} == told
    credit = sum(r.unapplied_minor for r in world.deal.receivables)
    assert books.runner.run(books.reader.customer_credit(world.deal.customer)).get("EUR", 0) == credit


def _nothing_is_lost_or_doubled(books: Books) -> None:
    assert books.runner.run(books.reader.verify()) == []
    balances: list[Balance] = books.runner.run(books.reader.balances())
    assert all(balance.is_balanced for balance in balances)
    keys, numbers = books.runner.run(books.database.look(_keys_and_numbers))
    assert len(set(keys)) == len(keys)
    for series in {number.rsplit("-", 1)[0] for number in numbers}:
        places = sorted(int(n.rsplit("-", 1)[1]) for n in numbers if n.rsplit("-", 1)[0] == series)
        assert places == list(range(1, len(places) + 1)), series


def _keys_and_numbers(connection: Connection) -> tuple[list[str], list[str]]:
    invoices, entries = table_of(InvoiceRow).c, table_of(LedgerEntryRow).c
    keys = [*connection.scalars(select(invoices.effect_key)), *connection.scalars(select(entries.effect_key))]
    notes = connection.scalars(select(entries.number).where(entries.number != ""))
    return keys, [*connection.scalars(select(invoices.number)), *notes]


def _holds_agree(books: Books, group: str, worlds: list[BookedWorld]) -> None:
    """Who holds the group is who has the hold itself."""
    row = table_of(GroupHoldRow).c
    query = select(row.deal_id).where(row.group_id == group)

    def read(connection: Connection) -> set[str]:
        return set(connection.scalars(query))

    assert books.runner.run(books.database.look(read)) == {w.deal.id for w in worlds if "credit" in w.deal.holds}


def test_every_kind_of_trouble_comes(books: Books):
    rng = books.rng = Random(7)
    late = LateDeal(begun(rng, BookedWorld(POLICY, books=books, deal_id="D-1", group="g-1")))
    for _ in range(60):
        if not late.world.deal.is_closed:
            late.act(rng)
    assert min(books.troubles["failed"], books.troubles["lost"]) >= 3
    _agrees(books, late.world)
    _nothing_is_lost_or_doubled(books)
