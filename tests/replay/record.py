"""Records the histories that `test_replay.py` replays: `python -m tests.replay.record [NAME ...]`.

Run it when a workflow's behaviour was released in a new way, never to make a failing replay pass: histories of
deals that are open somewhere are not recorded anew.
"""

import asyncio
import gzip
import sys
import tempfile
from pathlib import Path

from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory

from infra.db import open_database
from infra.migrate import upgrade
from tests import goods_journeys, journeys, money_journeys, policy_journeys
from tests.engine import Engine, running_engine, running_server
from tests.journeys import furnish

ALL = {**journeys.ALL, **goods_journeys.ALL, **money_journeys.ALL, **policy_journeys.ALL}
FOLDER = Path(__file__).parent / "histories"


async def runs_of(engine: Engine, deal_id: str) -> list[WorkflowHistory]:
    """The histories of all runs of a deal, in no particular order."""
    query = f"WorkflowId = 'deal-{deal_id}'"
    histories = []
    async for found in engine.client.list_workflows(query):
        handle = engine.client.get_workflow_handle(found.id, run_id=found.run_id)
        histories.append(await handle.fetch_history())
    return histories


async def record(names: list[str]) -> None:
    """Play journeys on a fresh system and keep their histories."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        url = f"sqlite+aiosqlite:///{folder / 'dealwright.db'}"
        upgrade(url)
        database = open_database(url)
        await furnish(database)
        async with running_server(folder / "temporal") as server, running_engine(server, database, folder) as engine:
            for name in names:
                await ALL[name](engine, name)
                await asyncio.sleep(1.5)  # visibility of runs that just ended is eventual
                for number, history in enumerate(await runs_of(engine, name), start=1):
                    target = FOLDER / f"{name}.{number}.pb.gz"
                    # no time stamp in the file: the same history gives the same bytes
                    target.write_bytes(gzip.compress(History(events=history.events).SerializeToString(), mtime=0))
                    sys.stdout.write(f"{target.name}: {len(history.events)} events\n")
        await database.close()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(record(sys.argv[1:] or list(ALL)))
