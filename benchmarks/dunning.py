"""Invoices that nobody pays, from the delivery to the request for legal, many at once on the test clock."""

import asyncio
import time
from datetime import timedelta

from benchmarks.desk import Desk, delivered_deal
from benchmarks.figures import Figure, of_spread
from benchmarks.measure import spread
from infra.test_clock import fast_forward
from models.messages.deals import workflow_id

AT_ONCE = 8
_STEP = timedelta(days=62)
_STEPS = 2
"""Sixty days of credit, then the sixty days of the ladder."""


async def dunning_ladders(desk: Desk, rounds: int) -> list[Figure]:
    """Ladders and rungs per second, eight invoices at a time; letters are written, as text and PDF."""
    ladders, rungs = list[float](), list[float]()
    for number in range(rounds):
        deals = [f"U-{number}-{place}" for place in range(AT_ONCE)]
        for deal_id in deals:
            await delivered_deal(desk, deal_id)
        began = time.perf_counter()
        await asyncio.gather(*(_climb(desk, deal_id) for deal_id in deals))
        seconds = time.perf_counter() - began
        ladders.append(len(deals) / seconds)
        rungs.append(sum([len(reached) for reached in [await _reached(desk, each) for each in deals]]) / seconds)
    return [
        of_spread("ladders climbed, 8 at a time", spread(ladders), "/s", note=_NOTE),
        of_spread("rungs reached", spread(rungs), "/s"),
    ]


_NOTE = "from delivery to the request for legal: 7 rungs, 5 letters, the hold on the group, 120 virtual days"


async def _climb(desk: Desk, deal_id: str) -> None:
    for _ in range(_STEPS):
        await fast_forward(desk.rig.client, workflow_id(deal_id), None, _STEP)


async def _reached(desk: Desk, deal_id: str) -> list[str]:
    (owed,) = (await desk.settled(deal_id, "supporting"))["receivables"]
    reached = [each["rung"] for each in owed["reached"]]
    if "notice_formally" not in reached:
        raise RuntimeError(f"{deal_id} has only reached {', '.join(reached)}")
    return reached
