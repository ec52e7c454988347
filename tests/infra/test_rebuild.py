"""Rebuilding projections from timelines: equal, different, and written anew."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from infra.stores.deals import DealStore
from infra.stores.rebuild import Difference, Rebuilder
from infra.stores.recorder import DatabaseRecorder
from models.messages.records import Projection
from models.timeline import Entry
from tests.infra.deal_samples import chain, projection, record

ALL = ("lines", "agenda", "approvals", "invoices", "cases")


def fold(entries: Sequence[Entry]) -> Projection:
    return projection(entries[0].deal_id, entries[-1].sequence)


@pytest.fixture
async def filled(database):
    recorder = DatabaseRecorder(database)
    for n in range(60):
        await recorder.record(record(f"d-{n:02}", chain(f"d-{n:02}", 3), ALL))
    return database


async def test_a_sound_database_equals_its_timelines(filled):
    heard: list[int] = []
    report = await Rebuilder(filled, fold).compare(heard.append)
    assert (report.deals, report.differences, heard) == (60, [], [50, 60])


DAMAGE = {
    "UPDATE deals SET state = 'lost' WHERE id = 'd-07'": ("d-07", "deals", "d-07", "state", "lost", "contacted"),
    "UPDATE deal_lines SET reserved = 11 WHERE deal_id = 'd-58'": ("d-58", "deal_lines", "1", "reserved", 11, 10),
    "DELETE FROM deal_cases WHERE deal_id = 'd-01'": ("d-01", "deal_cases", "case-1", "", "(no such row)", ""),
    "UPDATE deal_agenda SET key = 'k' WHERE deal_id = 'd-02'": ("d-02", "deal_agenda", "k", "", "", "(no such row)"),
    "DELETE FROM timeline WHERE deal_id = 'd-03'": ("d-03", "deals", "d-03", "", "d-03", "(no such row)"),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_found_and_written_anew(filled, damage):
    async with filled.begin() as connection:
        await connection.execute(text(damage))
    rebuilder = Rebuilder(filled, fold)
    assert Difference(*DAMAGE[damage]) in (await rebuilder.compare()).differences
    await rebuilder.write()
    assert (await rebuilder.compare()).differences == []


async def test_a_timeline_that_does_not_fold_is_a_finding(filled):
    def stubborn(entries: Sequence[Entry]) -> Projection:
        if entries[0].deal_id == "d-04":
            raise ValueError("an unknown event")
        return fold(entries)

    (found,) = (await Rebuilder(filled, stubborn).compare()).differences
    assert (found.deal_id, found.rebuilt) == ("d-04", "does not fold: an unknown event")


async def test_moves_that_are_recorded_meanwhile_are_not_undone(filled):
    recorder = DatabaseRecorder(filled)

    async def move_on(n: int) -> None:
        entries = chain(f"d-{n:02}", 8)
        for entry in entries[3:]:
            await recorder.record(record(entry.deal_id, [entry], ALL))

    done, *_ = await asyncio.gather(Rebuilder(filled, fold).write(), *map(move_on, range(60)))
    assert done == 60
    assert (await Rebuilder(filled, fold).compare()).differences == []
    moved_on = await DealStore(filled).get("d-59")
    assert moved_on is not None
    assert moved_on["version"] == 8
