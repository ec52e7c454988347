"""Keeps the engine's full histories of finished runs: a compressed file each, and a row that knows its digest."""

import asyncio
import gzip
import hashlib
import os
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select

from infra.db import Database, table_of
from infra.stores.pages import Page, Row, look_page
from infra.stores.upserts import put
from models.messages.records import ArchiveInput, ArchiveResult
from models.tables.records import ArchivedHistoryRow

_HISTORIES = table_of(ArchivedHistoryRow)


class HistoryDamaged(RuntimeError):
    """An archived history is missing from the archive folder or not what was put there."""


class HistoryArchive:
    """Histories as binary protobuf, under a folder that moves together with the database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    async def save(self, run: ArchiveInput, history: bytes, events: int, at: str) -> ArchiveResult:
        """Keep the history of a run; saved again, the longer one stays."""
        known = await self.find(run.workflow_id, run.run_id)
        if known and known["events"] >= events:
            return ArchiveResult(known["events"], known["digest"])
        digest, file = hashlib.sha256(history).hexdigest(), f"{_name(run.workflow_id)}/{_name(run.run_id)}.pb.gz"
        row = {
            "workflow_id": run.workflow_id,
            "run_id": run.run_id,
            "deal_id": run.deal_id,
            "events": events,
            "digest": digest,
            "file": file,
            "archived_at": at,
        }
        await asyncio.to_thread(_write_file, self._folder / file, history)
        key = ["workflow_id", "run_id"]
        await self._database.write(lambda connection: put(connection, ArchivedHistoryRow, [row], key))
        return ArchiveResult(events, digest)

    async def find(self, workflow_id: str, run_id: str) -> Row | None:
        """The row of a run's history."""
        query = select(_HISTORIES).where(_HISTORIES.c.workflow_id == workflow_id, _HISTORIES.c.run_id == run_id)
        return await self._database.row(query)

    async def load(self, workflow_id: str, run_id: str) -> bytes | None:
        """The bytes that were saved; None when the run was never archived. Raises HistoryDamaged."""
        row = await self.find(workflow_id, run_id)
        if row is None:
            return None
        return await asyncio.to_thread(_read_file, self._folder / row["file"], row["digest"])

    async def of_deal(self, deal_id: str) -> list[Row]:
        """The archived runs of a deal, the oldest first."""
        query = select(_HISTORIES).where(_HISTORIES.c.deal_id == deal_id)
        return await self._database.rows(query.order_by(_HISTORIES.c.archived_at, _HISTORIES.c.run_id))

    async def page(self, cursor: str = "", limit: int = 200) -> Page:
        """All archived runs, by workflow and run."""
        order = [_HISTORIES.c.workflow_id, _HISTORIES.c.run_id]
        return await look_page(self._database, select(_HISTORIES), order, cursor, limit)


def _name(identifier: str) -> str:
    """An id as one name in a folder; it can neither leave the folder nor be hidden in it."""
    return quote(identifier, safe="").replace(".", "%2E")


def _write_file(path: Path, history: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(gzip.compress(history, compresslevel=6, mtime=0))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _read_file(path: Path, digest: str) -> bytes:
    try:
        history = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, ValueError) as problem:
        raise HistoryDamaged(f"{path.name} cannot be read: {problem}") from problem
    if hashlib.sha256(history).hexdigest() != digest:
        raise HistoryDamaged(f"{path.name} is not what was archived")
    return history
