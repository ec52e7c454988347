"""The carriers' inbox: every message is kept first, then told to its deal, and a dead one is never silent.

Carriers send twice, late and in any order; the deal itself knows old news, the inbox only that nothing is lost.
"""

import re
from dataclasses import dataclass, replace
from typing import Protocol

from infra.desk.acts import Ask
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.carrier_letter import Letter, bytes_of, read
from infra.desk.clocks import Clock
from infra.desk.errors import Busy, Conflict, DeskError, EngineDown, NoSuch
from infra.desk.ids import derived
from infra.desk.in_flight import Lanes
from infra.stores.carrier_messages import Kept, Outcome
from infra.stores.pages import Page, Row
from models.instants import DAY, plus
from models.lifecycle.roles import GOODS, HEADS, Role
from models.messages.deals import ActResult
from models.stages.shipping import CarrierTold
from models.timeline import Entry

ACTION = "book_carrier_message"
"""The deal's action that a message becomes."""

SENDERS = GOODS
READERS = GOODS | HEADS | {Role.ADMIN, Role.AUDITOR}
RETRIERS = frozenset({Role.LOGISTICS_MANAGER, Role.ADMIN})

CLOSED = "the deal is closed"
OLD_NEWS = "the deal knew better already"

_PLAIN_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class Teller(Protocol):
    """Who tells a deal: the desk's acts."""

    async def act(self, ask: Ask) -> ActResult:
        """Carry out one act. Raises a DeskError."""


class DealClock(Protocol):
    """Who knows what time it is for a test deal: the engine."""

    async def now(self, deal_id: str) -> str | None:
        """The deal's own time; None when nobody answers."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a message; `replayed` when it had come before."""

    row: Row
    replayed: bool


class CarrierInbox:
    """Takes messages in and tells them."""

    def __init__(self, books: Books, teller: Teller, deal_clock: DealClock, clock: Clock) -> None:
        self._books, self._teller, self._deal_clock, self._clock = books, teller, deal_clock, clock
        self._store = books.carrier_messages
        self._turns = Lanes(1)

    async def receive(self, caller: Caller, body: bytes) -> Received:
        """Keep a message and tell its deal. Raises WrongRole before, EngineDown or Busy after it was kept."""
        caller.require("sending carrier messages", SENDERS)
        kept = await self._store.keep(read(body).kept, self._clock())
        if kept.row["outcome"] != Outcome.RECEIVED:
            return Received(kept.row, not kept.is_new)
        return await self._first_told(caller, kept)

    async def retry(self, caller: Caller, number: int) -> Row:
        """Tell a message again whose deal does not know it. Raises a DeskError."""
        caller.require("telling carrier messages again", RETRIERS)
        async with self._turns.turn(str(number)):
            row = await self._get(number)
            if Outcome(row["outcome"]).is_final:
                raise Conflict("already_told", f"message {number} is {row['outcome']} already")
            return await self._tell(caller, row)

    async def page(self, caller: Caller, outcome: str, shipment: str, cursor: str, limit: int) -> Page:
        """Messages without their bodies, in the order in which they came. Raises WrongRole or BadCursor."""
        caller.require("reading carrier messages", READERS)
        return await self._store.page(outcome, shipment, cursor, limit)

    async def message(self, caller: Caller, number: int) -> Row:
        """One message with its body. Raises WrongRole or NoSuch."""
        caller.require("reading carrier messages", READERS)
        return await self._get(number)

    async def _get(self, number: int) -> Row:
        row = await self._store.get(number)
        if row is None:
            raise NoSuch("carrier message", str(number))
        return row

    async def _first_told(self, caller: Caller, kept: Kept) -> Received:
        async with self._turns.turn(str(kept.row["id"])):
            # a twin that came in the same moment may have been told while this one waited
            row = await self._get(kept.row["id"])
            if row["outcome"] == Outcome.RECEIVED:
                row = await self._tell(caller, row)
            return Received(row, not kept.is_new)

    async def _tell(self, caller: Caller, row: Row) -> Row:
        try:
            outcome, reason = await self._outcome(caller, row, read(bytes_of(row["body"])))
        except (EngineDown, Busy):
            await self._store.tried(row["id"])
            raise
        return await self._store.conclude(row["id"], outcome, reason, caller.user, self._clock())

    async def _outcome(self, caller: Caller, row: Row, letter: Letter) -> tuple[Outcome, str]:
        """What becomes of a message, and why. Raises EngineDown or Busy."""
        news = letter.kept
        if news.problem:
            return Outcome.DEAD, news.problem
        deal = await self._deal(news.deal_id, news.shipment)
        if deal is None:
            return Outcome.DEAD, f"there is no shipment {news.shipment}"
        key = key_of(row["carrier"], row["message_id"])
        if told := await self._told(news.deal_id, key):
            return told
        if deal["closed_at"]:
            return Outcome.UNCHANGED, CLOSED
        if news.occurred_at > plus(await self._now(deal), DAY):
            return Outcome.DEAD, f"it happened at {news.occurred_at}, which is more than a day ahead"
        payload = {
            "shipment": news.shipment,
            "message_id": row["message_id"],
            "kind": news.kind,
            "occurred_at": news.occurred_at,
            "note": letter.note,
        }
        try:
            await self._teller.act(Ask(_speaker(caller), news.deal_id, ACTION, payload, key))
        except (EngineDown, Busy):
            raise
        except DeskError as no:
            return await self._after(no, news.deal_id, key)
        return await self._told(news.deal_id, key) or (Outcome.BOOKED, "")

    async def _after(self, no: DeskError, deal_id: str, key: str) -> tuple[Outcome, str]:
        """The deal said no: somebody else may have told it in the same moment, or it was closed meanwhile."""
        if told := await self._told(deal_id, key):
            return told
        deal = await self._books.deals.get(deal_id)
        return (Outcome.UNCHANGED, CLOSED) if deal and deal["closed_at"] else (Outcome.DEAD, no.message)

    async def _told(self, deal_id: str, key: str) -> tuple[Outcome, str] | None:
        """What the deal made of this message, if it has been told: its timeline says so, whoever asked."""
        entry = await self._books.timeline.under(deal_id, key)
        return _verdict(entry) if entry and entry.action == ACTION else None

    async def _deal(self, deal_id: str, shipment: str) -> Row | None:
        deal = await self._books.deals.get(deal_id)
        shipments = await self._books.deals.children(deal_id, "shipments") if deal else []
        return deal if any(one["number"] == shipment for one in shipments) else None

    async def _now(self, deal: Row) -> str:
        """The deal's own time. Raises EngineDown when only the engine knows it and does not say."""
        if not deal["is_test"]:
            return self._clock()
        now = await self._deal_clock.now(deal["id"])
        if now is None:
            raise EngineDown("the deal's own time is not known")
        return now


def key_of(carrier: str, message_id: str) -> str:
    """The idempotency key of a message: no two messages share one."""
    plain = f"carrier:{carrier}:{message_id}"
    if ":" not in carrier and _PLAIN_KEY.fullmatch(plain):
        return plain
    return derived("carrier:", carrier, message_id)


def _verdict(entry: Entry) -> tuple[Outcome, str]:
    is_news = any(event["tag"] == CarrierTold.tag and event["is_news"] for event in entry.events)
    return (Outcome.BOOKED, "") if is_news else (Outcome.UNCHANGED, OLD_NEWS)


def _speaker(caller: Caller) -> Caller:
    """An admin who lets a message be told again speaks for the hook that took it in, under the own name."""
    return caller if caller.held & SENDERS else replace(caller, roles=(*caller.roles, str(Role.AUTOMATION)))
