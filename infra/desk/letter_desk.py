"""Letters to customers for callers: where each stands, and what a person decides about those that did not leave."""

from typing import Any

from sqlalchemy import ColumnElement, select, true

from infra.db import Database, table_of
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Conflict, NoSuch
from infra.gateways.letter_states import LETTERS, LetterNotOpen, LetterNotThere, Letters, LetterState
from infra.stores.deals import visible
from infra.stores.pages import Page, Row, look_page
from models.lifecycle.roles import HEADS, Role
from models.tables.projection import DealRow

DECIDERS = HEADS | {Role.ACCOUNTS_RECEIVABLE, Role.ADMIN}
READERS = DECIDERS | {Role.AUDITOR}

Plain = dict[str, Any]

_DEALS = table_of(DealRow)
_SAME = ("kind", "language", "subject", "name", "digest", "state", "at", "queued_at", "dispatched_at", "attempts")


class LetterDesk:
    """Shows letters, and takes down decisions. A head of sales sees those of the department's deals."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._letters = Letters(database)

    async def page(self, caller: Caller, state: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Letters, the oldest first. Raises WrongRole or BadCursor."""
        caller.require("reading letters", READERS)
        query = select(LETTERS).where(_in_scope(caller))
        query = query.where(LETTERS.c.state == LetterState(state).value) if state else query
        order = [LETTERS.c.queued_at, LETTERS.c.effect_key]
        page = await look_page(self._database, query, order, cursor, limit)
        return Page([told(row) for row in page.rows], page.next_cursor)

    async def resend(self, caller: Caller, key: str) -> Plain:
        """Let it be sent (again). Raises WrongRole, NoSuch, or Conflict for one that has left or is about to."""
        await self._check(caller, key)
        try:
            await self._letters.resend(key, caller.user, self._clock())
        except (LetterNotThere, LetterNotOpen) as no:
            raise _no(no, key) from None
        return told(await self._row(caller, key))

    async def mark_sent(self, caller: Caller, key: str) -> Plain:
        """Note that it has reached the customer. Raises WrongRole, NoSuch or Conflict, as above."""
        await self._check(caller, key)
        try:
            await self._letters.mark_sent(key, caller.user, self._clock())
        except (LetterNotThere, LetterNotOpen) as no:
            raise _no(no, key) from None
        return told(await self._row(caller, key))

    async def _check(self, caller: Caller, key: str) -> None:
        caller.require("deciding about letters", DECIDERS)
        await self._row(caller, key)

    async def _row(self, caller: Caller, key: str) -> Row:
        row = await self._database.row(select(LETTERS).where(LETTERS.c.effect_key == key, _in_scope(caller)))
        if row is None:
            raise NoSuch("letter", key)
        return row


def _in_scope(caller: Caller) -> ColumnElement[bool]:
    """The letters that a caller sees. An admin sees no deals, but that the post works is the admin's business."""
    if caller.has(Role.ADMIN) or caller.scope.kind == "all":
        return true()
    return LETTERS.c.deal_id.in_(select(_DEALS.c.id).where(visible(caller.scope)))


def _no(no: Exception, key: str) -> NoSuch | Conflict:
    return NoSuch("letter", key) if isinstance(no, LetterNotThere) else Conflict("letter_not_open", str(no))


def told(row: Row) -> Plain:
    """A letter as callers get it."""
    named = {"key": row["effect_key"], "deal_id": row["deal_id"], "customer": row["customer_id"]}
    return named | {name: row[name] for name in _SAME} | {"failure": row["failure"]}
