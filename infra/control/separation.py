"""Separation of duties outside of deals: the author of a change to master data, and the no to who did the other half.

Inside of a deal its own guards keep duties apart (`models.guards.separation`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, select

from infra.db import table_of
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Refused
from infra.desk.recording import RefusalBook
from infra.stores.master_log import Author, DutiesCombined, refuse_limit
from models.errors import Refusal, Verdict
from models.lifecycle.roles import Role
from models.tables.projection import DealRow

_DEALS = table_of(DealRow)

CREDIT_ACT = "approve_reliability"
"""The act on a deal that says how much a customer may owe."""
GUARD = "duties_are_separate"


class Separation:
    """Judges who may change master data."""

    def __init__(self, books: Books, refusals: RefusalBook, clock: Clock) -> None:
        self._books, self._refusals, self._clock = books, refusals, clock

    async def author(self, caller: Caller) -> Author:
        """The caller as the author of a change."""
        machine = caller.has(Role.AUTOMATION) and not caller.held - {Role.AUTOMATION, Role.ADMIN}
        standing = await self._books.deputies.standing_in(caller.user, self._clock())
        return Author(caller.user, caller.on_behalf_of, standing, machine)

    @asynccontextmanager
    async def kept(self, caller: Caller, action: str, key: str = "") -> AsyncIterator[Author]:
        """Gives the author of a change to whoever makes it; Refused, and on record, when they did the other half."""
        try:
            yield await self.author(caller)
        except DutiesCombined as combined:
            problem = Refused(_refusal(action, "", combined))
            await self._refusals.note_error(caller, "", action, problem, key)
            raise problem from None

    async def check_limit_of(self, caller: Caller, deal_id: str, action: str, state: str) -> None:
        """Refuse a decision on a deal's credit to who works on the customer's card. Raises Refused.

        The deal decides after this look, so a change to the card in the same moment is found by the detection only.
        """
        author, at = await self.author(caller), self._clock()
        group = select(_DEALS.c.group_id).where(_DEALS.c.id == deal_id)

        def work(connection: Connection) -> None:
            refuse_limit(connection, str(connection.execute(group).scalar_one()), author, at)

        try:
            await self._books.database.look(work)
        except DutiesCombined as combined:
            raise Refused(_refusal(action, state, combined)) from None


def _refusal(action: str, state: str, combined: DutiesCombined) -> Refusal:
    rule = combined.earlier.rule
    needed = f"somebody who did not do the other half within {rule.within // 86_400} days: {rule.why}"
    verdict = Verdict(GUARD, False, str(combined), needed, ("another person with the role",))
    return Refusal("guard_failed", action, state, f"{action} is blocked: {combined}", (verdict,))
