"""kill -9 of the worker at the worst points: between an effect and its record, between a record and its answer."""

import asyncio
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from infra.db import open_database
from infra.stores.archive import HistoryArchive
from models.policy import DEFAULT
from tests.crash.callers import Certainly, EngineCaller
from tests.crash.histories import replayed, until_archived
from tests.crash.players import Player
from tests.crash.processes import DYING_WORKER, System
from tests.invariants import findings
from tests.journeys import furnish

POLICY = replace(DEFAULT, support_window=1)

POINTS = (
    "recorder.record:before:qualify",
    "recorder.record:after:open",
    "recorder.record:after:qualify",
    "recorder.record:after:accept_offer",
    "credit.reserve:after",
    "recorder.record:after:conclude_contract",
    "recorder.record:after:book_reservation",
    "stock.reserve:after",
    "stock.ship:before",
    "stock.ship:after",
    "recorder.record:after:ship",
    "carrier.book:after",
    "printer.print_document:after",
    "ledger.issue_invoice:after",
    "recorder.record:after:book_invoice",
    "ledger.book:after",
    "recorder.record:after:record_payment",
    "recorder.record:after:complete",
    "archive.archive_run:after",
)


@pytest.mark.usefixtures("on_the_wall_clock")  # real deals, on a server without a test clock
@pytest.mark.systems
@pytest.mark.uncounted
@pytest.mark.timeout(240)
async def test_what_a_dying_worker_left_behind_is_taken_up(tmp_path: Path, sqlite_url: str) -> None:
    marks = tmp_path / "deaths"
    marks.mkdir()
    points = {f"D-{number}": point for number, point in enumerate(POINTS)}
    database = open_database(sqlite_url)
    await furnish(database)
    system = System(tmp_path, DYING_WORKER)
    system.worker.environment |= {"CRASH_POINTS": json.dumps(points), "CRASH_MARKS": str(marks)}
    async with system:
        client = Certainly(EngineCaller(await system.client(), database, system.settings.task_queue))
        players = [
            Player(client, database, deal_id, "won", random.Random(number), POLICY, meddles=False)
            for number, deal_id in enumerate(points)
        ]
        nurse = asyncio.create_task(_nurse(system))
        await asyncio.gather(*(player.play() for player in players))
        archive = HistoryArchive(database, system.settings.archive_dir)
        await until_archived(await system.client(), system.settings.task_queue)
        nurse.cancel()

        assert {mark.name for mark in marks.iterdir()} == set(points), "a point was never reached"
        assert {(await player.look()).state for player in players} == {"completed"}
        answered = [(a.deal_id, a.key, a.answer or None) for a in client.acknowledged]
        assert await findings(database, answered, policy=POLICY, allowed_extra_keys=_opening) == []
        histories = await replayed(await system.client(), archive, points)
        assert histories.problems == []
    await database.close()


async def _nurse(system: System) -> None:
    """Start the worker again whenever it has died."""
    while True:
        await asyncio.sleep(0.05)
        system.worker.start()


def _opening(key: str) -> bool:
    return key.startswith("opening-")
