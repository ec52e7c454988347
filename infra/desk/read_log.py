"""The log of what auditors read of deals that are not their own (domain, D2): a leaf `read` each, before they see it.

A read that can't be written down is not given.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from infra.db import DatabaseBusy, table_of
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Unlogged
from infra.stores.pages import Row
from models.lifecycle.roles import Role
from models.tables.projection import DealRow

KIND = "read"
_DEALS = table_of(DealRow)
_TOLD: ContextVar[set[str] | None] = ContextVar("reads_told", default=None)


@contextmanager
def one_request() -> Iterator[set[str]]:
    """Within it a deal is logged once, whoever tells of it: the set names what was told (a deal's id, or what lists
    told of many)."""
    told: set[str] = set()
    mark = _TOLD.set(told)
    try:
        yield told
    finally:
        _TOLD.reset(mark)


class ReadLog:
    """Writes down reads; does nothing for who is no auditor."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock

    async def deal(self, caller: Caller, deal_id: str, owner: str, what: str) -> None:
        """Somebody is about to read `what` of a deal. Raises Unlogged."""
        if caller.has(Role.AUDITOR) and owner != caller.user and _is_news(deal_id):
            await self._append(caller, deal_id, {"deal": deal_id, "what": what})

    async def deal_of(self, caller: Caller, deal_id: str, what: str) -> bool:
        """The same for who does not know the owner; False when there is no such deal. Raises Unlogged."""
        if not caller.has(Role.AUDITOR):
            return True
        row: Row | None = await self._books.database.row(select(_DEALS.c.owner).where(_DEALS.c.id == deal_id))
        if row is not None:
            await self.deal(caller, deal_id, row["owner"], what)
        return row is not None

    async def many(self, caller: Caller, what: str, name: str, count: int | None = None) -> None:
        """Somebody is about to read of many deals at once: a list, a report or an export called `name`, with how many
        rows or deals if that is known. Raises Unlogged."""
        if caller.has(Role.AUDITOR) and _is_news(what):
            counted = {} if count is None else {"count": count}
            await self._append(caller, name, {"what": what, **counted})

    async def _append(self, caller: Caller, ref: str, read: dict[str, Any]) -> None:
        at = self._clock()
        body = {"by": caller.user, "credential": caller.credential, **read, "at": at}
        if caller.on_behalf_of:
            body["on_behalf_of"] = caller.on_behalf_of
        try:
            await self._books.audit.append(KIND, ref, body, at)
        except (SQLAlchemyError, DatabaseBusy) as problem:
            raise Unlogged(ref) from problem


def logged(told_of: str) -> None:
    """What is read in this request is written down already, by whoever calls this."""
    _is_news(told_of)


def _is_news(told_of: str) -> bool:
    told = _TOLD.get()
    if told is None:
        return True
    is_news = told_of not in told
    told.add(told_of)
    return is_news
