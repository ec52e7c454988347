"""Deals are told that units were set aside for them, so that they ask the stock book for them at once.

Nothing depends on it: the units are theirs already, and a deal that was not told asks by itself on the
next day that was named to it, and within a week.
"""

import asyncio
from collections import defaultdict
from typing import Protocol

from structlog import get_logger

from infra.desk import payloads
from infra.desk.books import Books
from infra.desk.engine import WorkflowGone
from infra.desk.errors import DeskError
from infra.stores.pages import Row
from models.command import SYSTEM
from models.messages.deals import ActInput, ActResult
from models.timeline import digest

RETRY = "retry_reservation"

_PAGE = 500
_AT_ONCE = 8
_PATIENCE_SECONDS = 20.0
"""How long whoever brought the goods waits until all deals are told; those that were not by then ask by themselves."""

log = get_logger()


class Teller(Protocol):
    """The part of the engine that carries an act to a deal."""

    async def act(self, deal_id: str, asked: ActInput) -> ActResult:
        """Carry out one act. Raises a DeskError or WorkflowGone."""
        ...


class Waking:
    """Wakes deals for which the stock book has set units aside."""

    def __init__(self, books: Books, engine: Teller) -> None:
        self._books, self._engine = books, engine

    async def wake(self) -> int:
        """Tell every such deal, and answer how many were told. A deal that can't be told is logged and left.

        To be called after goods came in, when that is committed. Telling a deal twice of the same units does nothing.
        """
        deals = await self._deals()
        told: list[str] = []
        gate = asyncio.Semaphore(_AT_ONCE)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await asyncio.gather(*(self._tell(gate, deal_id, rows, told) for deal_id, rows in deals.items()))
        except TimeoutError:
            log.warning("deals_not_woken_in_time", deals=len(deals) - len(told))
        return len(told)

    async def _deals(self) -> dict[str, list[Row]]:
        """What is set aside, by deal."""
        deals: defaultdict[str, list[Row]] = defaultdict(list)
        after = ("", 0)
        while rows := await self._books.stock.set_aside(_PAGE, after):
            for row in rows:
                deals[row["deal_id"]].append(row)
            after = (rows[-1]["deal_id"], rows[-1]["line"])
        return deals

    async def _tell(self, gate: asyncio.Semaphore, deal_id: str, rows: list[Row], told: list[str]) -> None:
        # the same units give the same key; units that are set aside later, another one
        key = f"restock:{deal_id}:{digest({'lines': rows})[:32]}"
        fingerprint = payloads.fingerprint(RETRY, {}, SYSTEM.user, SYSTEM.on_behalf_of)
        async with gate:
            try:
                await self._engine.act(deal_id, ActInput(RETRY, SYSTEM, key, fingerprint))
            except (DeskError, WorkflowGone) as problem:
                why = problem.code if isinstance(problem, DeskError) else "workflow_gone"
                log.warning("deal_not_woken", deal_id=deal_id, why=why)
            else:
                told.append(deal_id)
