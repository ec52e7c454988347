"""A shortage that nobody answers, from the order to the cancelled line, on the test clock of the real engine.

Logistics announced the goods; they don't come, and every rung of the ladder is left in silence: about sixty days.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.desk import Desk, entered_deal
from benchmarks.figures import Figure, of_spread
from benchmarks.measure import spread
from benchmarks.rig import ARTICLES, NEVER_THERE
from infra.db import open_database
from infra.gateways.stock_intake import StockIntake
from infra.test_clock import fast_forward
from models.instants import DAY, between
from models.messages.deals import workflow_id

_ANNOUNCED_IN = 38
"""Days from the order to the day on which the goods are announced to come."""
_STEP = timedelta(days=5)
_MOST_STEPS = 30


async def shortage_ladders(desk: Desk, deals: int) -> list[Figure]:
    """Wall time and events from the order until the short line is cancelled, deal by deal."""
    await _announce(desk)
    taken, days, moves, events = list[float](), list[float](), list[float](), list[float]()
    for number in range(deals):
        deal_id = f"S-{number}"
        deal = await entered_deal(desk, deal_id, (ARTICLES[0], NEVER_THERE), test=True)
        entries, length = _entries(desk, deal_id), (await deal.describe()).history_length
        began = time.perf_counter()
        line = await _until_cancelled(desk, deal_id)
        taken.append(time.perf_counter() - began)
        days.append(between(line["shortage"]["since"], line["shortage"]["settled_at"]) / DAY)
        moves.append(_entries(desk, deal_id) - entries)
        events.append((await deal.describe()).history_length - length)
    return [
        of_spread("a ladder that nobody answers, wall time", spread(taken), "s", note=_NOTE),
        of_spread("its calendar days on the test clock", spread(days), "days"),
        of_spread("its moves (timeline entries)", spread(moves)),
        of_spread("its events in the engine's history", spread(events)),
    ]


_NOTE = "one line of two is short, so the reminders of the order and what is held for the other line come on top"


async def _announce(desk: Desk) -> None:
    database = open_database(desk.rig.settings.database)
    day = (datetime.now(UTC) + timedelta(days=_ANNOUNCED_IN)).date().isoformat()
    await StockIntake(database).expect(NEVER_THERE, day, 10**6, "bench-announced")
    await database.close()


async def _until_cancelled(desk: Desk, deal_id: str) -> dict[str, Any]:
    for _ in range(_MOST_STEPS):
        await fast_forward(desk.rig.client, workflow_id(deal_id), None, _STEP)
        line: dict[str, Any] = (await desk.settled(deal_id))["order"]["lines"][1]
        if line["cancelled"]:
            return line
    raise TimeoutError(f"line 2 of {deal_id} is still on the ladder after {_MOST_STEPS * _STEP}")


def _entries(desk: Desk, deal_id: str) -> int:
    query = "SELECT count(*) FROM timeline WHERE deal_id = ?"
    return int(desk.rig.books.execute(query, (deal_id,)).fetchone()[0])
