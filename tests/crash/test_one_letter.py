"""Exactly one letter per level of the ladder: the worker is killed -9 at every step between decision and receipt, and
the server once, while invoices climb to the formal notice on the test clock."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import Client
from temporalio.service import RPCError

from infra.db import Database, open_database, table_of
from infra.gateways.paper_files import digest_of
from infra.stores.timeline import timelines
from infra.test_clock import ForwardStalled, fast_forward
from models.messages.deals import workflow_id
from models.policy import DEFAULT
from models.tables.papers import LetterRow
from models.tables.projection import DealRow
from models.timeline import Entry
from tests.crash.processes import System
from tests.engine import Engine
from tests.invariants import findings
from tests.journeys import deal_of, delivered, furnish

DYING_MAILER = ("-m", "tests.crash.dying_mailer")
POINTS = {
    "D-decided": "recorder.record:before:advance_collection",
    "D-recorded": "recorder.record:after:advance_collection",
    "D-file": "mailer.keep:after",
    "D-row": "mailer.send_letter:after",
    "D-reported": "recorder.record:before:file_letter",
    "D-receipt": "recorder.record:after:file_letter",
}
LETTERS = ["pre_due_notice", "reminder", "first_dunning", "second_dunning", "formal_notice"]
SOON = timedelta(seconds=3)


@pytest.mark.systems
@pytest.mark.uncounted
@pytest.mark.timeout(240)
async def test_one_letter_per_level_whoever_is_killed(tmp_path: Path, sqlite_url: str) -> None:
    marks = tmp_path / "deaths"
    marks.mkdir()
    database = open_database(sqlite_url)
    await furnish(database)
    system = System(tmp_path, DYING_MAILER, test_clock=True)
    told = json.dumps(POINTS)
    system.worker.environment |= {"LETTER_POINTS": told, "CRASH_POINTS": told, "CRASH_MARKS": str(marks)}
    async with system:
        client = await system.client()
        engine = Engine(client, database, system.settings, task_timeout=SOON)
        await asyncio.gather(*(delivered(engine, deal_id) for deal_id in POINTS))
        nurse = asyncio.create_task(_nurse(system))
        await _until(client, database, "announced", 58)
        assert {mark.name for mark in marks.iterdir()} == set(POINTS), "a point was never reached"
        climbing = asyncio.create_task(_until(client, database, "dunned", 12))
        await asyncio.sleep(0.3)
        await system.kill("server")
        await system.start()
        await climbing
        await _until(client, database, "formally_noticed", 40)
        nurse.cancel()
        for deal_id in POINTS:
            assert (await deal_of(engine, deal_id)).pending == ()
        assert await findings(database, policy=DEFAULT, allowed_extra_keys=lambda key: key.startswith("opening-")) == []
        await _one_letter_each(database, system.settings.outbox_dir)
    await database.close()


async def _nurse(system: System) -> None:
    """Start the worker again whenever it has died."""
    while True:
        await asyncio.sleep(0.05)
        system.worker.start()


async def _until(client: Client, database: Database, level: str, days: int) -> None:
    """Let time pass for all deals, `days` and then day by day, until their invoices have reached a level."""
    await asyncio.gather(*(_one_until(client, database, deal_id, level, days) for deal_id in POINTS))


async def _one_until(client: Client, database: Database, deal_id: str, level: str, days: int) -> None:
    row = table_of(DealRow)
    query = select(row.c.snapshot, row.c.pending_effects).where(row.c.id == deal_id)
    for _ in range(60):
        try:
            await fast_forward(client, workflow_id(deal_id), None, timedelta(days=days), patience=timedelta(seconds=50))
            days = 1
        except (RPCError, ForwardStalled):  # the server is gone for the moment
            await asyncio.sleep(0.3)
        [stands] = await database.rows(query)
        if stands["snapshot"]["receivables"][0]["state"] == level and not stands["pending_effects"]:
            return
    raise AssertionError(f"{deal_id} did not become {level}")


async def _one_letter_each(database: Database, outbox: Path) -> None:
    """Per deal and level one row, one file with its digest, and one receipt of it in the timeline."""
    letter = table_of(LetterRow)
    rows = await database.rows(select(letter).order_by(letter.c.deal_id, letter.c.at))
    ladder = [row for row in rows if row["kind"] in LETTERS]
    assert [(row["deal_id"], row["kind"]) for row in ladder] == [(d, kind) for d in sorted(POINTS) for kind in LETTERS]
    async with database.read() as connection:
        timeline = [entry async for some in timelines(connection) for entries in some for entry in entries]
    receipts = [filed for entry in timeline for filed in _filed(entry)]
    for row in ladder:
        assert digest_of((outbox / row["name"]).read_bytes()) == row["digest"]
        assert receipts.count((row["deal_id"], row["kind"], row["name"], row["digest"])) == 1
    assert len([receipt for receipt in receipts if receipt[1] in LETTERS]) == len(ladder)
    names = {row["name"] for row in rows}
    assert _letters_in(outbox) == names | {name.replace(".pdf", ".txt") for name in names}, "a page and its text each"


def _letters_in(outbox: Path) -> set[str]:
    """The files of letters; what was being written when the writer was killed is hidden and has another name."""
    return {path.name for path in outbox.iterdir() if not path.name.startswith(".")}


def _filed(entry: Entry) -> list[tuple[Any, ...]]:
    papers = [each for each in entry.events if each["tag"] == "paper_filed"]
    return [(entry.deal_id, each["kind"], each["name"], each["digest"]) for each in papers]
