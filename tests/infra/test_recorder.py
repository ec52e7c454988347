"""The recorder: one transaction per record, once per (deal, sequence), whoever writes at the same moment."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import IntegrityError

from infra.db import Database, open_database, table_of
from infra.stores.audit import AuditStore
from infra.stores.commands import CommandStore
from infra.stores.deals import DealStore
from infra.stores.record_rows import TimelineConflict, write_records
from infra.stores.recorder import DatabaseRecorder
from infra.stores.timeline import TimelineStore
from models.messages.records import Projection, RecordInput, RecordResult
from models.tables.records import AuditLeafRow, OutboxRow, TimelineRow
from models.timeline import entry_hash
from tests.infra.deal_samples import answer, chain, projection, record

ALL = ("lines", "agenda", "approvals", "invoices", "cases")


async def count(database: Database, row) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table_of(row)))).scalar_one()


async def outbox(database: Database) -> list[dict[str, Any]]:
    async with database.read() as connection:
        rows = await connection.execute(select(table_of(OutboxRow)).order_by(OutboxRow.id))
        return [dict(row) for row in rows.mappings()]


async def deal_row(database: Database) -> dict[str, Any]:
    row = await DealStore(database).get("d-1")
    assert row is not None
    return row


async def assert_stands_once(database: Database, deals: int, entries: int) -> None:
    report = await AuditStore(database).verify()
    assert report.problems == []
    assert (report.deals, report.entries, report.leaves) == (deals, entries, entries)
    assert await count(database, OutboxRow) == entries


async def test_a_record_leaves_everything_behind(database):
    entries = chain("d-1", 2)
    asked = record("d-1", entries, ALL, (answer(entries[0].key), answer(entries[1].key)))
    assert await DatabaseRecorder(database).record(asked) == RecordResult(2)

    assert await TimelineStore(database).entries("d-1") == entries
    deals = DealStore(database)
    assert await deals.get("d-1") == asked.projection.deal
    for name in ALL:
        assert await deals.children("d-1", name) == getattr(asked.projection, name)
    stored = await CommandStore(database).find("d-1", entries[0].key)
    assert stored is not None
    assert (stored.sequence, stored.at, stored.body) == (1, entries[0].at, asked.answers[0].body)
    await assert_stands_once(database, deals=1, entries=2)


async def test_the_outbox_tells_what_moved_and_nothing_about_people(database):
    await DatabaseRecorder(database).record(record("d-1", chain("d-1", 1)))
    (event,) = await outbox(database)
    assert event["topic"] == "deal.record_contact"
    assert event["dispatched_at"] == ""
    assert event["body"] == {
        "deal_id": "d-1",
        "sequence": 1,
        "action": "record_contact",
        "state_from": "contacted",
        "state_to": "contacted",
        "role": "account_manager",
    }


async def test_recording_again_wholly_or_partly_changes_nothing_that_stands(database):
    recorder = DatabaseRecorder(database)
    entries = chain("d-1", 4)
    first = record("d-1", entries[:2], ALL)
    assert await recorder.record(first) == RecordResult(2)
    assert await recorder.record(first) == RecordResult(2)
    assert await recorder.record(record("d-1", entries[1:4], ALL)) == RecordResult(4)
    await assert_stands_once(database, deals=1, entries=4)
    assert (await deal_row(database))["version"] == 4


async def test_a_late_repeat_does_not_bring_back_an_older_projection(database):
    recorder = DatabaseRecorder(database)
    entries = chain("d-1", 2)
    old = record("d-1", entries[:1], ALL)
    await recorder.record(old)
    emptied = Projection(projection("d-1", 2, state="qualified").deal)
    await recorder.record(RecordInput("d-1", (entries[1],), emptied, ALL))
    await recorder.record(old)
    deals = DealStore(database)
    assert (await deal_row(database))["state"] == "qualified"
    assert await deals.children("d-1", "lines") == []


async def test_children_that_did_not_change_are_left_alone(database):
    recorder = DatabaseRecorder(database)
    entries = chain("d-1", 2)
    await recorder.record(record("d-1", entries[:1], ALL))
    emptied = Projection(projection("d-1", 2).deal)
    await recorder.record(RecordInput("d-1", (entries[1],), emptied, ("agenda",)))
    deals = DealStore(database)
    assert await deals.children("d-1", "agenda") == []
    assert len(await deals.children("d-1", "lines")) == 1


async def test_a_projection_and_answers_may_be_recorded_without_an_entry(database):
    recorder = DatabaseRecorder(database)
    entries = chain("d-1", 3)
    await recorder.record(record("d-1", entries))
    waiting = RecordInput("d-1", (), projection("d-1", 3, pending_effects=2), (), (answer("later"),))
    assert await recorder.record(waiting) == RecordResult(3)
    assert (await deal_row(database))["pending_effects"] == 2
    stored = await CommandStore(database).find("d-1", "later")
    assert stored is not None
    assert stored.sequence == 3


async def test_another_entry_in_the_same_place_is_a_conflict(database):
    recorder = DatabaseRecorder(database)
    entries = chain("d-1", 2)
    await recorder.record(record("d-1", entries))
    forged = replace(entries[1], actor="mallory")
    forged = replace(forged, hash=entry_hash(forged))
    with pytest.raises(TimelineConflict, match="d-1, entry 2: another entry stands here"):
        await recorder.record(record("d-1", [forged]))
    await assert_stands_once(database, deals=1, entries=2)


@pytest.mark.parametrize("first", [2, 3])
async def test_a_gap_or_a_fork_is_a_conflict(database, first):
    recorder = DatabaseRecorder(database)
    await recorder.record(record("d-1", chain("d-1", 1)))
    with pytest.raises(TimelineConflict, match="does not follow"):
        await recorder.record(record("d-1", chain("d-1", 1, first=first, previous="e" * 64)))
    await assert_stands_once(database, deals=1, entries=1)


async def test_one_that_cannot_be_written_does_not_spoil_its_neighbours(database):
    recorder = DatabaseRecorder(database)
    bad = record("d-bad", chain("d-bad", 1))
    bad.projection.deal["snapshot"] = {"rate": float("nan")}
    conflicting = record("d-fork", chain("d-fork", 1, first=7))
    asked = [bad, conflicting, *(record(f"d-{n}", chain(f"d-{n}", 1)) for n in range(20))]
    outcomes = await asyncio.gather(*map(recorder.record, asked), return_exceptions=True)
    assert isinstance(outcomes[1], TimelineConflict)
    assert isinstance(outcomes[0], Exception)
    assert outcomes[2:] == [RecordResult(1)] * 20
    await assert_stands_once(database, deals=20, entries=20)


async def test_two_deals_from_one_imported_row_conflict(database):
    recorder = DatabaseRecorder(database)
    await recorder.record(record("d-1", chain("d-1", 1), source_ref="opportunities/7"))
    with pytest.raises(TimelineConflict) as refused:
        await recorder.record(record("d-2", chain("d-2", 1), source_ref="opportunities/7"))
    assert isinstance(refused.value.__cause__, IntegrityError)
    await assert_stands_once(database, deals=1, entries=1)
    imported = await DealStore(database).by_source("opportunities/7")
    assert imported is not None
    assert imported["id"] == "d-1"


async def test_a_cancelled_caller_leaves_the_others_unharmed(database):
    recorder = DatabaseRecorder(database)
    tasks = [asyncio.create_task(recorder.record(record(f"d-{n}", chain(f"d-{n}", 1)))) for n in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[3], asyncio.CancelledError)
    await recorder.record(record("d-3", chain("d-3", 1)))
    await assert_stands_once(database, deals=10, entries=10)


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def processes(request):
    """Three openings of one database, as three worker processes have them."""
    opened = [open_database(request.getfixturevalue(request.param)) for _ in range(3)]
    yield opened
    for database in opened:
        await database.close()


async def test_many_writers_leave_a_gap_free_log(processes):
    recorders = [DatabaseRecorder(database) for database in processes]

    async def drive(deal_id: str, recorder: DatabaseRecorder) -> None:
        for entry in chain(deal_id, 6):
            await recorder.record(record(deal_id, [entry], ALL, (answer(entry.key),)))

    await asyncio.gather(*(drive(f"d-{n}", recorders[n % 3]) for n in range(24)))
    await assert_stands_once(processes[0], deals=24, entries=144)


async def test_the_same_records_from_several_processes_at_once_stand_once(processes):
    """A local activity that timed out may still be writing while its repeat writes the same elsewhere."""
    recorders = [DatabaseRecorder(database) for database in processes]
    asked = [record(f"d-{n}", chain(f"d-{n}", 3), ALL, (answer("k"),)) for n in range(12)]
    outcomes = await asyncio.gather(*(r.record(one) for one in asked for r in recorders))
    assert outcomes == [RecordResult(3)] * 36
    await assert_stands_once(processes[0], deals=12, entries=36)
    assert await count(processes[0], TimelineRow) == await count(processes[0], AuditLeafRow) == 36


async def test_looking_for_what_stands_reads_the_key_and_not_the_whole_timeline(sqlite_url):
    database = open_database(sqlite_url)
    statements: list[str] = []

    def plan(connection: Connection) -> str:
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        write_records(connection, [record("d-1", chain("d-1", 2)), record("d-2", chain("d-2", 1))])
        (look,) = [s for s in statements if s.startswith("SELECT") and "FROM timeline" in s]
        arguments = ("d-1", "d-2", 0, 1, 2)
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {look}", arguments).all())

    assert "SEARCH timeline USING INDEX" in await database.write(plan)
    await database.close()
