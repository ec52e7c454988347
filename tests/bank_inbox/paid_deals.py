"""Deals with open invoices, statements that pay them, and an inbox that tells the deals without an engine."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select

from infra.db import Database, table_of
from infra.desk.acts import Ask
from infra.desk.bank_inbox import BankInbox
from infra.desk.bank_worklist import BankWorklist
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.errors import EngineDown, Refused
from infra.desk.recording import RefusalBook
from infra.gateways.ledger import SqlLedger
from infra.settings import load_settings
from infra.stores.bank_rows import ALLOCATIONS, ENTRIES
from infra.stores.pages import Row
from infra.stores.recorder import DatabaseRecorder
from models.command import Command
from models.deal import open_deal
from models.errors import MoveRefused
from models.messages.deals import ActResult
from models.messages.receivables import InvoiceInput, LedgerEntryInput
from models.messages.records import RecordInput
from models.parts.receivable import Receivable
from models.projection import CHILDREN, project
from models.stages.opening import OpenDeal
from models.tables.masters import CustomerRow
from tests.bank.statement_files import ACCOUNT, Payment, camt, mt940, total
from tests.models.world import PEOPLE, World, delivered

CLERK = Caller("u-clerk", ("accounts_receivable",))
AUDITOR = Caller("u-auditor", ("auditor",))
NOW = "2026-03-10T08:00:00Z"
NORDHOLZ, BERGMANN = "DE02120300000000202051", "DE02500105170137075030"
PIECE = 11_900
"""What one article costs, tax included."""


@dataclass
class BookedWorld(World):
    """A deal on the pure core of any number and customer, which keeps what it asked the ledger for, in its order."""

    number: str = "D-1"
    customer: str = "c-1"
    books: list[InvoiceInput | LedgerEntryInput] = field(default_factory=list)
    recorded: int = 0
    kept: int = 0

    def __post_init__(self) -> None:
        opened = OpenDeal("A deal", self.customer, "g-1", "u-account_manager", "north", "berlin", "EUR", is_test=True)
        self._keep(open_deal(self.number, opened, PEOPLE["account_manager"], "open", self.policy, self.now, "", ""))

    def _answer(self, asked: Any) -> object:
        if isinstance(asked, InvoiceInput | LedgerEntryInput):
            self.books.append(asked)
        return super()._answer(asked)


@dataclass
class Deals:
    """Deals on the pure core in the engine's place: they act once per key, are recorded, and book in the ledger."""

    database: Database
    worlds: dict[str, BookedWorld] = field(default_factory=dict)
    asks: list[Ask] = field(default_factory=list)
    down: bool = False
    lines_break: int = 0
    """How many of the next acts are done without an answer."""

    async def add(self, number: str, customer: str = "c-1", pieces: int = 10) -> str:
        """A deal with one open invoice of so many pieces; its number."""
        issued = sum(world.invoices for world in self.worlds.values())
        world = BookedWorld(number=number, customer=customer)
        world.invoices = issued
        delivered(world, [{"article": "A-1", "quantity": pieces}])
        world.invoices -= issued
        self.worlds[number] = world
        world.now = NOW
        await self.keep(world)
        return world.deal.receivables[0].number

    async def keep(self, world: BookedWorld) -> None:
        """Record what is new."""
        new = tuple(world.entries[world.recorded :])
        shown = project(world.deal, world.policy)
        await DatabaseRecorder(self.database).record(RecordInput(world.deal.id, new, shown, CHILDREN))
        world.recorded += len(new)
        ledger = SqlLedger(self.database)
        for asked in world.books[world.kept :]:
            await (ledger.issue_invoice(asked) if isinstance(asked, InvoiceInput) else ledger.book(asked))
        world.kept = len(world.books)

    async def act(self, ask: Ask) -> ActResult:
        if self.down:
            raise EngineDown("the line is dead")
        self.asks.append(ask)
        world = self.worlds[ask.deal_id]
        if all(entry.key != ask.key for entry in world.entries):
            try:
                world.command(Command(ask.action, ask.caller.actor, ask.key, ask.payload))
            except MoveRefused as refused:
                raise Refused(refused.refusal) from None
            await self.keep(world)
        if self.lines_break:
            self.lines_break -= 1
            raise EngineDown("the line broke")
        return ActResult(ask.deal_id, 7, "fulfilling", "fulfilment", {}, 7, ())

    async def now(self, deal_id: str) -> str | None:
        return None if self.down else NOW

    def owed(self, invoice: str) -> Receivable:
        """An invoice as its deal knows it."""
        (found,) = (r for world in self.worlds.values() for r in world.deal.receivables if r.number == invoice)
        return found


@dataclass
class Bank:
    """The inbox and worklist of an installation whose deals are on the pure core."""

    database: Database
    deals: Deals
    inbox: BankInbox
    worklist: BankWorklist
    books: Books

    async def send(self, *payments: Payment, **more: Any) -> list[dict[str, Any]]:
        """Import a camt.053 of these payments."""
        return (await self.inbox.receive(CLERK, file_of(payments, **more))).statements

    async def entries(self) -> list[Row]:
        return await self.database.rows(select(ENTRIES).order_by(ENTRIES.c.id))

    async def states(self) -> list[str]:
        """State and rule of every entry."""
        return [f"{row['state']} {row['rule']}".strip() for row in await self.entries()]

    async def parts(self) -> list[Row]:
        return await self.database.rows(select(ALLOCATIONS).order_by(ALLOCATIONS.c.entry_id, ALLOCATIONS.c.number))

    async def is_sound(self) -> None:
        """The audit of all money finds nothing."""
        verdict = await self.books.money_audit.verify()
        assert verdict.is_sound, verdict.differences


def file_of(payments: Sequence[Payment], form: str = "08", opening: int = 100_000, **more: Any) -> bytes:
    """A file of these payments that adds up, as camt.053 of a version or as MT940."""
    closing = opening + total(payments)
    if form == "mt940":
        return mt940(more.pop("account", ACCOUNT), payments, opening, closing, **more)
    return camt(form, more.pop("account", ACCOUNT), payments, opening, closing, **more)


def bank_of(database: Database, deals: Deals, folder: Any) -> Bank:
    """A bank on a database; its deals may be somebody else's, too."""
    books = Books(database, load_settings(data_dir=folder))
    refusals = RefusalBook(books, lambda: NOW)
    inbox = BankInbox(books, deals, deals, refusals, lambda: NOW)
    return Bank(database, deals, inbox, BankWorklist(books, deals, deals, lambda: NOW), books)


async def furnish_customers(database: Database) -> None:
    """Two customers, each with an account."""
    card: dict[str, Any] = dict.fromkeys(
        ("owner", "country", "segment", "source", "competitor", "registration_id", "vat_id"), ""
    )
    card |= {"lei": "", "founded_on": "", "language": "en", "currency": "EUR", "price_column": "standard"}
    card |= {"blocked": False, "broken_promises": 0, "financials": None, "created_at": NOW, "updated_at": NOW}
    who = (("c-1", "Nordholz Bau GmbH", NORDHOLZ), ("c-2", "Bergmann KG", BERGMANN))
    rows = [card | {"id": number, "name": name, "iban": iban, "group_id": "g-1"} for number, name, iban in who]
    await database.write(lambda connection: connection.execute(insert(table_of(CustomerRow)), rows))


def paid(amount: int, text: str = "", **more: Any) -> Payment:
    """A payment of Nordholz."""
    return Payment(amount, text=text, **{"name": "Nordholz Bau GmbH", "iban": NORDHOLZ, **more})
