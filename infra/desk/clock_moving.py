"""Moving the clocks of test deals, for those who may, and never of real ones."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from temporalio.service import RPCError

from infra.db import table_of
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.engine import LOOK_SECONDS, Engine
from infra.desk.errors import Conflict, EngineDown, Invalid, NoSuch, WrongRole
from infra.test_clock import TestClockError, fast_forward, test_clock_available
from models.instants import render
from models.lifecycle.roles import Role
from models.messages.deals import workflow_id
from models.tables.projection import DealRow

MOVERS = (Role.ADMIN, Role.AUTOMATION)
FARTHEST = timedelta(days=5 * 366)
_AT_ONCE = 8
_DEALS = table_of(DealRow)


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a test deal's clock stands now; `problem` says why it could not be moved all the way."""

    deal_id: str
    now: str
    problem: str = ""


class TestTime:
    """The test clock at the desk."""

    __test__ = False  # not a test class for pytest to collect

    def __init__(self, books: Books, engine: Engine) -> None:
        self._books, self._engine = books, engine

    async def why_off(self) -> str:
        """Why no clock can be moved here; empty when it can."""
        if not self._books.settings.test_clock:
            return "the test clock is switched off by DEALWRIGHT_TEST_CLOCK"
        if not self._engine.is_attached:
            return "the engine is not connected"
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                there = await test_clock_available(self._engine.client)
        except (RPCError, TimeoutError) as error:
            return f"the engine did not answer ({type(error).__name__})"
        return "" if there else "the engine does not allow time skipping"

    async def advance(self, caller: Caller, deal_id: str | None, by: timedelta) -> list[Moved]:
        """Forward one test deal, or all open ones. Raises WrongRole, Invalid, Conflict, NoSuch or EngineDown."""
        if not caller.has(*MOVERS):
            raise WrongRole("moving clocks", tuple(map(str, MOVERS)))
        if not timedelta() < by <= FARTHEST:
            raise Invalid({"seconds": f"must be from 1 to {int(FARTHEST.total_seconds())}"})
        if not self._books.settings.test_clock:
            raise Conflict("clock_off", await self.why_off())
        deals = await self._open_test_deals() if deal_id is None else [await self._test_deal(deal_id)]
        if deals and (why := await self.why_off()):
            raise EngineDown(why) if "not answer" in why or "connected" in why else Conflict("clock_off", why)
        places = asyncio.Semaphore(_AT_ONCE)
        return list(await asyncio.gather(*(self._forward(deal, by, places) for deal in deals)))

    async def _open_test_deals(self) -> list[str]:
        query = select(_DEALS.c.id).where(_DEALS.c.is_test, _DEALS.c.closed_at == "").order_by(_DEALS.c.id)
        async with self._books.database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def _test_deal(self, deal_id: str) -> str:
        row = await self._books.deals.get(deal_id)
        if row is None:
            raise NoSuch("deal", deal_id)
        if not row["is_test"]:
            raise Conflict("not_a_test_deal", f"{deal_id} is a real deal: its time is everybody's time")
        if row["closed_at"]:
            raise Conflict("deal_closed", f"{deal_id} is closed, it has no clock any more")
        return deal_id

    async def _forward(self, deal_id: str, by: timedelta, places: asyncio.Semaphore) -> Moved:
        async with places:
            try:
                now = await fast_forward(self._engine.client, workflow_id(deal_id), None, by)
            except TestClockError as problem:
                return Moved(deal_id, "", str(problem))
            except RPCError as error:
                return Moved(deal_id, "", f"the engine said {error.status.name.lower()}")
        return Moved(deal_id, render(now))
