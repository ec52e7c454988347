"""Timelines, stored answers and archived histories as they are read back."""

import asyncio

import pytest

from infra.stores.archive import HistoryArchive, HistoryDamaged
from infra.stores.commands import CommandStore
from infra.stores.recorder import DatabaseRecorder
from infra.stores.timeline import TimelineStore
from models.messages.records import ArchiveInput, ArchiveResult
from tests.infra.deal_samples import START, chain, record


async def test_a_timeline_is_read_back_as_it_was_recorded(database):
    entries = chain("d-1", 5)
    await DatabaseRecorder(database).record(record("d-1", entries))
    await DatabaseRecorder(database).record(record("d-2", chain("d-2", 1)))
    timeline = TimelineStore(database)
    assert await timeline.entries("d-1") == entries
    assert await timeline.entries("d-1", as_of=entries[2].at) == entries[:3]
    assert await timeline.entries("d-1", as_of="2000-01-01T00:00:00Z") == []
    assert await timeline.entries("d-1", after=2, limit=2) == entries[2:4]
    assert await timeline.entries("d-3") == []
    assert await timeline.deal_ids() == ["d-1", "d-2"]
    assert await timeline.deal_ids(after="d-1", limit=1) == ["d-2"]


async def test_the_first_answer_under_a_key_stands(database):
    commands = CommandStore(database)
    assert await commands.find("customers", "k-1") is None
    stored = await asyncio.gather(*(commands.store("customers", "k-1", f"{n}" * 64, {"n": n}, START) for n in range(5)))
    assert len({answer.fingerprint for answer in stored}) == 1
    assert await commands.find("customers", "k-1") == stored[0]
    assert (await commands.store("products", "k-1", "9" * 64, [1], START)).body == [1]


RUN = ArchiveInput("d-1", "deal/../d-1", "run-1")


async def test_a_history_is_kept_and_read_back(database, tmp_path):
    archive = HistoryArchive(database, tmp_path / "archive")
    history = bytes(range(256)) * 40
    kept = await archive.save(RUN, history, 17, START)
    assert kept.events == 17
    assert await archive.load(RUN.workflow_id, RUN.run_id) == history
    (row,) = await archive.of_deal("d-1")
    assert row["digest"] == kept.digest
    assert not row["file"].startswith("/")
    assert ".." not in row["file"]
    assert (tmp_path / "archive" / row["file"]).stat().st_size < len(history) / 2
    assert [r["run_id"] for r in (await archive.page()).rows] == ["run-1"]
    assert await archive.load(RUN.workflow_id, "run-2") is None


async def test_the_longer_history_of_a_run_stays(database, tmp_path):
    archive = HistoryArchive(database, tmp_path)
    short = await archive.save(RUN, b"short", 5, START)
    assert await archive.save(RUN, b"another", 5, START) == short
    long = await archive.save(RUN, b"longer", 9, START)
    assert await archive.save(RUN, b"short", 5, START) == long == ArchiveResult(9, long.digest)
    assert await archive.load(RUN.workflow_id, RUN.run_id) == b"longer"


@pytest.mark.parametrize("damage", [b"", b"not gzip", None])
async def test_a_damaged_history_is_told_from_a_sound_one(database, tmp_path, damage):
    archive = HistoryArchive(database, tmp_path)
    await archive.save(RUN, b"history", 3, START)
    file = tmp_path / (await archive.of_deal("d-1"))[0]["file"]
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage)
    with pytest.raises(HistoryDamaged):
        await archive.load(RUN.workflow_id, RUN.run_id)


async def test_a_history_replaced_by_another_is_found(database, tmp_path):
    archive = HistoryArchive(database, tmp_path)
    other = ArchiveInput("d-2", "d-2", "run-1")
    await archive.save(RUN, b"history", 3, START)
    await archive.save(other, b"forged", 3, START)
    files = [tmp_path / (await archive.of_deal(deal))[0]["file"] for deal in ("d-1", "d-2")]
    files[0].write_bytes(files[1].read_bytes())
    with pytest.raises(HistoryDamaged, match="not what was archived"):
        await archive.load(RUN.workflow_id, RUN.run_id)
