"""How many acts of one deal are with the engine at once: it batches eight well, and refuses an eleventh."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from infra.desk.errors import Busy

LONGEST_QUEUE = 100
"""Acts that may wait for one deal; more would wait longer than their callers do."""


class _Lane:
    """One deal's queue."""

    __slots__ = ("__weakref__", "turn", "waiting")

    def __init__(self, width: int) -> None:
        self.turn = asyncio.Semaphore(width)
        self.waiting = 0


class Lanes:
    """A queue per deal, which is forgotten as soon as nobody is in it."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lanes: WeakValueDictionary[str, _Lane] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, deal_id: str) -> AsyncIterator[None]:
        """Wait for a place in the deal's lane. Raises Busy when too many wait already."""
        lane = self._lanes.get(deal_id)
        if lane is None:
            lane = self._lanes[deal_id] = _Lane(self._width)
        if lane.waiting >= LONGEST_QUEUE:
            raise Busy(f"{lane.waiting} acts wait for deal {deal_id} already")
        lane.waiting += 1
        try:
            async with lane.turn:
                yield
        finally:
            lane.waiting -= 1
