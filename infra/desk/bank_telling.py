"""Tells deals what matched entries paid: each part under its own key, so that asking again finds what was done."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from infra.desk.acts import Ask
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.carrier_inbox import DealClock, Teller
from infra.desk.clocks import Clock
from infra.desk.errors import Busy, DeskError, EngineDown
from infra.stores.bank_entries import BankEntryStore
from infra.stores.bank_rows import BOOKED, PLANNED
from infra.stores.pages import Row
from models.lifecycle.roles import MONEY, Role
from models.stages.going_back import PaymentReversed
from models.stages.receivables import PaymentRecorded
from models.timeline import Entry

AT_ONCE = 8
"""Entries that are told at the same time; those of one deal go one after the other, in their order."""

GIVES_UP_AFTER = 5
"""Deals that do not answer, one after the other, before the rest waits for another time."""

CLOSED = "the deal is closed"
SENT_BACK = "returned by the bank"

_CODE = re.compile(r"[A-Z0-9]{2,8}")
_TAGS = {PaymentRecorded.tag: 1, PaymentReversed.tag: -1}


@dataclass
class Told:
    """What became of a run: how many entries were booked, how many a deal refused, which ones nobody answered."""

    booked: int = 0
    refused: int = 0
    unanswered: int = 0
    deals: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    silent: int = 0

    @property
    def gives_up(self) -> bool:
        """True when so many deals in a row did not answer that none will."""
        return self.silent >= GIVES_UP_AFTER


class Telling:
    """Tells deals, and writes down what they made of it."""

    def __init__(self, books: Books, teller: Teller, deal_clock: DealClock, clock: Clock) -> None:
        self._books, self._teller, self._deal_clock, self._clock = books, teller, deal_clock, clock
        self._store = BankEntryStore(books.database)

    async def run(self, caller: Caller, only: frozenset[int] | None = None) -> Told:
        """Tell the deals of all matched entries, or of some; what nobody answers stays as it is."""
        told, turns = Told(), asyncio.Semaphore(AT_ONCE)
        last: dict[str, asyncio.Task[None]] = {}
        tasks = []
        for one in await self._store.to_tell():
            if only is not None and one["id"] not in only:
                continue
            before = [last[deal] for deal in one["deals"] if deal in last]
            task = asyncio.create_task(self._in_turn(caller, one, before, turns, told))
            last |= dict.fromkeys(one["deals"], task)
            tasks.append(task)
        await asyncio.gather(*tasks)
        return told

    async def _in_turn(
        self, caller: Caller, one: Row, before: Sequence[asyncio.Task[None]], turns: asyncio.Semaphore, told: Told
    ) -> None:
        if before:
            await asyncio.wait(before)
        async with turns:
            if told.gives_up or told.blocked & one["deals"]:
                told.unanswered += 1
                return
            try:
                row = await self.tell(caller, one["id"])
            except (EngineDown, Busy):
                told.blocked |= one["deals"]
                told.silent += 1
                told.unanswered += 1
                await self._store.tried(one["id"])
                return
        told.silent = 0
        told.deals |= one["deals"]
        if row["state"] == BOOKED:
            told.booked += 1
        else:
            told.refused += 1

    async def tell(self, caller: Caller, number: int) -> Row:
        """Tell the deals of one entry. Raises EngineDown or Busy; the parts before are settled then."""
        entry = await self._store.get(number)
        assert entry is not None, "an entry is never deleted"
        for part in entry["parts"]:
            if part["state"] == PLANNED:
                await self._part(caller, entry, part)
        return await self._store.conclude(number, caller.user, self._clock())

    async def known(self, part: Row) -> bool:
        """Whether the deal has booked this part, whatever was written down; writes it down then."""
        booked = _booked(await self._books.timeline.under(part["deal_id"], part["key"]))
        if booked:
            await self._store.booked(part["key"], *booked, self._clock())
        return booked is not None

    async def _part(self, caller: Caller, entry: Row, part: Row) -> None:
        if await self.known(part):
            return
        problem = await self._ask(caller, entry, part)
        if problem and not await self.known(part):
            await self._store.refused(part["key"], problem, self._clock())

    async def _ask(self, caller: Caller, entry: Row, part: Row) -> str:
        """Tell the deal; in words why it does not take the part. Raises EngineDown or Busy."""
        deal = await self._books.deals.get(part["deal_id"])
        if deal is None:
            return "there is no such deal"
        if deal["closed_at"]:
            return CLOSED
        if stale := await self._stale(entry, part):
            return stale
        action, payload = self._act(entry, part, await self._day(deal, part))
        try:
            await self._teller.act(Ask(speaker(caller), part["deal_id"], action, payload, part["key"]))
        except (EngineDown, Busy):
            raise
        except DeskError as no:
            return no.message
        return "" if await self.known(part) else "the deal has written nothing down"

    async def _stale(self, entry: Row, part: Row) -> str:
        """Why a part was matched with what is not open any more; nobody's money becomes credit by accident."""
        if entry["amount_minor"] < 0:
            return ""
        rows = await self._books.deals.children(part["deal_id"], "invoices")
        opened = next((row["open_minor"] for row in rows if row["number"] == part["invoice"]), 0)
        needed = part["applied_minor"] + part["charges_minor"] + part["discount_minor"]
        return "" if needed <= opened else f"less is open by now: {opened} instead of {needed} minor units"

    async def _day(self, deal: Row, part: Row) -> str:
        """The day of receipt, never after the deal's own today. Raises EngineDown when only the engine knows that."""
        now: str | None = self._clock()
        if deal["is_test"]:
            now = await self._deal_clock.now(deal["id"])
        if now is None:
            raise EngineDown("the deal's own time is not known")
        day: str = min(part["received_on"], now[:10])
        if day != part["received_on"]:
            await self._store.receive_on(part["key"], day)
        return day

    def _act(self, entry: Row, part: Row, day: str) -> tuple[str, dict[str, Any]]:
        amount = part["applied_minor"] + part["excess_minor"]
        payload = {"invoice": part["invoice"], "currency": entry["currency"], "reference": part["key"]}
        if amount < 0:
            reason = entry["return_reason"]
            back = {"amount_minor": -amount, "reason": reason if _CODE.fullmatch(reason) else SENT_BACK}
            return "reverse_payment", payload | back | {"returned_on": day}
        less = {name: part[name] for name in ("charges_minor", "discount_minor") if part[name]}
        return "record_payment", payload | {"amount_minor": amount, "received_on": day} | less


def _booked(entry: Entry | None) -> tuple[int, int] | None:
    """What a deal applied and kept as credit by an act, with the sign of the money; None when it booked nothing."""
    for event in entry.events if entry else ():
        if sign := _TAGS.get(event["tag"]):
            return sign * event["applied_minor"], sign * event["unapplied_minor"]
    return None


def speaker(caller: Caller) -> Caller:
    """An admin who lets deals be told again speaks for the import that took the entry in, under the own name."""
    return caller if caller.held & MONEY else replace(caller, roles=(*caller.roles, str(Role.AUTOMATION)))
