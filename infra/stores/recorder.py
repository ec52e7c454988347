"""Implements the port `Recorder`: what moves left behind, written once per (deal, sequence).

Records that arrive while another transaction runs are written together in the next one: sixteen deals moving at
once share one commit and one turn at the audit log, and one that cannot be written does not spoil the others.
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError

from infra.db import Database, table_of
from infra.stores.record_rows import TimelineConflict, write_records
from infra.stores.timeline import entry_of
from models.messages.records import Answer, RecordInput, RecordResult, StandingInput, StandingResult
from models.tables.records import CommandRow, TimelineRow

_TIMELINE, _COMMANDS = table_of(TimelineRow), table_of(CommandRow)
_TOLD_TOGETHER = 100
_TOGETHER = 32
"""Records in one transaction at most, so that nobody waits long for the neighbours' work."""


@dataclass(slots=True)
class _Waiting:
    asked: RecordInput
    answer: "asyncio.Future[RecordResult]"


class DatabaseRecorder:
    """Records on our database. Belongs to one event loop, like its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(self, asked: RecordInput) -> RecordResult:
        """Write entries, projection, outbox, audit leaves and answers in one transaction.

        Entries that stand already are left as they are. Raises TimelineConflict when something else stands in
        their place: trying again cannot help.
        """
        answer: asyncio.Future[RecordResult] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(asked, answer))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await answer

    async def standing(self, asked: StandingInput) -> StandingResult:
        """Entries after a sequence, at most 100 of them, with the answers that were stored with them."""
        entries = (
            select(_TIMELINE)
            .where(_TIMELINE.c.deal_id == asked.deal_id, _TIMELINE.c.sequence > asked.after)
            .order_by(_TIMELINE.c.sequence)
            .limit(_TOLD_TOGETHER)
        )
        answers = select(_COMMANDS.c.key, _COMMANDS.c.fingerprint, _COMMANDS.c.body).where(
            _COMMANDS.c.scope == asked.deal_id,
            _COMMANDS.c.sequence > asked.after,
            _COMMANDS.c.sequence <= asked.after + _TOLD_TOGETHER,
        )
        async with self._database.read() as connection:
            told = tuple(entry_of(row) for row in (await connection.execute(entries)).mappings())
            stored = tuple(Answer(*row) for row in await connection.execute(answers.order_by(_COMMANDS.c.sequence)))
        return StandingResult(told, stored)

    async def _write_all(self) -> None:
        while batch := self._next_batch():
            try:
                await self._write(batch)
            except Exception as problem:
                if len(batch) == 1:
                    _settle(batch[0], problem)
                    continue
                for one in batch:  # one of them failed; alone, only that one fails again
                    await self._write_alone(one)

    def _next_batch(self) -> list[_Waiting]:
        """Those who wait, in their order, but each deal only once: its next record builds on the one before."""
        batch: dict[str, _Waiting] = {}
        later = []
        for one in self._waiting:
            if len(batch) < _TOGETHER and one.asked.deal_id not in batch:
                batch[one.asked.deal_id] = one
            else:
                later.append(one)
        self._waiting = later
        return list(batch.values())

    async def _write_alone(self, one: _Waiting) -> None:
        try:
            await self._write([one])
        except Exception as problem:
            _settle(one, problem)

    async def _write(self, batch: list[_Waiting]) -> None:
        work = partial(write_records, asked=[one.asked for one in batch])
        try:
            outcomes = await self._database.write(work)
        except IntegrityError:
            # Another process wrote one of these entries between our look and our insert: now it can be seen.
            try:
                outcomes = await self._database.write(work)
            except IntegrityError as problem:
                if len(batch) > 1:
                    raise
                asked = batch[0].asked
                raise TimelineConflict(asked.deal_id, asked.projection.deal["version"], _reason(problem)) from problem
        for one, outcome in zip(batch, outcomes, strict=True):
            _settle(one, outcome)


def _settle(one: _Waiting, outcome: RecordResult | Exception) -> None:
    if one.answer.done():
        return  # whoever asked was cancelled meanwhile; the record stands, and asking again finds it
    if isinstance(outcome, Exception):
        one.answer.set_exception(outcome)
    else:
        one.answer.set_result(outcome)


def _reason(problem: DBAPIError) -> str:
    return str(problem.orig).splitlines()[0]
