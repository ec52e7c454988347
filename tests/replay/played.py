"""Plays deals on the real engine for the replays, and collects what a replay reads of them."""

import asyncio

from temporalio.client import WorkflowHistory

from infra.stores.deals import DealStore
from infra.stores.timeline import TimelineStore
from models.policy import DEFAULT
from tests.engine import Engine
from tests.replay.kept import Played
from tests.replay.record import runs_of


async def played(engine: Engine, deal_id: str) -> Played:
    """What stands of a deal that was played, and its histories, the oldest run first."""
    row = await DealStore(engine.database).get(deal_id)
    assert row is not None
    entries = await TimelineStore(engine.database).entries(deal_id)
    histories = await _all_runs(engine, deal_id)
    return Played(deal_id, entries, row["snapshot"], histories)


async def _all_runs(engine: Engine, deal_id: str) -> list[WorkflowHistory]:
    """Every run, back to the first; what the engine lists of runs that just ended is late."""
    for _ in range(100):
        found = sorted(await runs_of(engine, deal_id), key=lambda run: run.events[0].event_time.ToNanoseconds())
        last = await engine.handle(deal_id).fetch_history()
        first = found[0].events[0].workflow_execution_started_event_attributes if found else None
        if first and not first.continued_execution_run_id and found[-1].run_id == last.run_id:
            return [*found[:-1], last]
        await asyncio.sleep(0.1)
    raise AssertionError(f"the engine does not list all runs of {deal_id}")


POLICIES = {DEFAULT.version: DEFAULT}
"""What the books of a test would keep: its deals are started under the default policy, handed in by the test."""
