"""Matches entries that came in with the open invoices of all deals, under each deal's own policy."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from infra.desk.books import Books
from infra.desk.clocks import Clock
from infra.desk.errors import Busy
from infra.stores.bank_book import Desk, load
from infra.stores.bank_entries import BankEntryStore, Decided
from infra.stores.pages import Row
from models.banking.matching import Book
from models.banking.matching_values import Match, OpenInvoice, Tolerance
from models.banking.statement import BankEntry
from models.instants import DAY, plus
from models.policy import Policy

_TRIES = 20
_CHUNK = 1_000

COLLECTS_SINCE = 3
"""The generation of rules from which a deal forgives bank charges and cash discount."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The policies of the deals on the desk, by version, and that of today."""

    by_version: dict[str, Policy]
    today: Policy

    @property
    def tolerance(self) -> Tolerance:
        """What may be missing as bank charges."""
        return Tolerance(self.today.money.charges_minor, self.today.money.charges_bps)


class Matching:
    """Runs matching over everything that waits for it; writers of other processes are noticed, and it begins anew."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._entries = BankEntryStore(books.database)

    async def run(self, by: str) -> int:
        """Match all entries that were received; how many. Raises Busy when others never stop writing."""
        done = conflicts = 0
        while conflicts < _TRIES:
            desk = await self._books.database.look(load)
            if not desk.entries:
                return done
            written = await self._write(desk, by)
            done += written
            conflicts += written < len(desk.entries)
        raise Busy("other imports write without end")

    async def _write(self, desk: Desk, by: str) -> int:
        """Decide everything on the desk, and write it down as far as nobody else writes meanwhile; how many."""
        decided = await asyncio.to_thread(decide, desk, await self._numbers(desk))
        done = 0
        for turn, start in enumerate(range(0, len(decided), _CHUNK), desk.turn):
            chunk = decided[start : start + _CHUNK]
            if not await self._entries.decide(chunk, turn, by, self._clock()):
                break
            done += len(chunk)
        return done

    async def _numbers(self, desk: Desk) -> Numbers:
        policies = self._books.policies
        today = await policies.active(self._clock())
        versions = {row["policy_version"] for row in desk.invoices}
        return Numbers({version: await policies.of(version) for version in sorted(versions)}, today)


def decide(desk: Desk, numbers: Numbers) -> list[Decided]:
    """What becomes of every entry of the desk, each seeing what those before it have settled."""
    old = {number for number, policy in numbers.by_version.items() if policy.rules < COLLECTS_SINCE}
    forgives = {row["number"]: row["policy_version"] not in old for row in desk.invoices}
    invoices = [open_invoice(row, numbers.by_version[row["policy_version"]]) for row in desk.invoices]
    book = Book(invoices, desk.payers, numbers.tolerance, desk.earlier)
    found = []
    for waiting in desk.entries:
        match = _agreeable(book.match(waiting.entry, waiting.currency), forgives.__getitem__)
        if match.rule:
            book.take(match, waiting.entry)
        found.append(Decided(waiting.id, match, _day(waiting.entry)))
    return found


def open_invoice(row: Row, policy: Policy) -> OpenInvoice:
    """An invoice as matching sees it; the cash discount is what the deal itself would grant."""
    money = policy.money
    discount = row["total_minor"] * money.discount_bps // 10_000 if policy.rules >= COLLECTS_SINCE else 0
    return OpenInvoice(
        number=row["number"],
        deal_id=row["deal_id"],
        customer=row["customer_id"],
        currency=row["currency"],
        open_minor=row["left_minor"],
        issued_on=row["issued_at"][:10],
        due_on=row["due_at"][:10],
        kind=row["kind"],
        discount_minor=discount,
        discount_until=plus(row["issued_at"], money.discount_days * DAY)[:10] if discount else "",
        total_minor=row["total_minor"],
    )


def _agreeable(match: Match, forgives: Callable[[str], bool]) -> Match:
    """Deals of the first generations forgive no bank charges: there the rest stays open, as the money says."""
    parts = tuple(
        part if not part.charges_minor or forgives(part.invoice) else replace(part, charges_minor=0)
        for part in match.allocations
    )
    return match if parts == match.allocations else replace(match, allocations=parts)


def _day(entry: BankEntry) -> str:
    """The day on which we have the money: the value date, as interest and cash discount count by it."""
    return entry.valued_on or entry.booked_on
