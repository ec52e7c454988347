"""The office of evidence on the real engine: schedules sign the log and hand checkpoints out, and nothing twice."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from infra.db import Database, table_of
from infra.schedules import keep_schedules, schedule_id
from infra.temporal_server import EmbeddedServer
from models.messages.evidence import CHECKPOINT, DELIVERY, Checkpointed, HandedOver
from models.tables.evidence import CheckpointRow
from tests.engine import Engine, running_engine
from tests.evidence.log_samples import do, grow
from tests.evidence.webhook_server import Fault, webhook_server


async def until(look: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Look until it is so, or tell what it is instead."""
    seen = None
    for _ in range(400):
        if (seen := await look()) == wanted:
            return
        await asyncio.sleep(0.1)
    assert seen == wanted


async def sizes(database: Database) -> list[int]:
    rows = await database.rows(select(table_of(CheckpointRow)).order_by(table_of(CheckpointRow).c.id))
    return [row["size"] for row in rows]


async def office(engine: Engine, workflow: str, kind: type[Any]) -> Any:
    """Let a workflow of the office run to its end."""
    queue = engine.settings.task_queue
    return await engine.client.execute_workflow(workflow, id=f"{queue}-x", task_queue=queue, result_type=kind)


async def test_a_schedule_has_the_log_signed_and_handed_over(
    server: EmbeddedServer, database: Database, tmp_path: Path
) -> None:
    async with webhook_server() as outside:
        chosen: dict[str, Any] = {"checkpoint_interval": 86_400, "checkpoint_webhook": outside.url}
        async with running_engine(server, database, tmp_path, **chosen) as engine:
            await keep_schedules(engine.client, engine.settings)
            await grow(database, 7)
            handle = engine.client.get_schedule_handle(schedule_id(engine.settings, "audit-checkpoint"))
            await handle.trigger()
            await until(lambda: sizes(database), [7])
            await until(lambda: _count(outside.taken), 1)
            assert (await office(engine, CHECKPOINT, Checkpointed)).is_new is False
            assert (await sizes(database), len(outside.taken)) == ([7], 1)


async def test_what_was_not_taken_is_handed_over_by_the_next_round(
    server: EmbeddedServer, database: Database, tmp_path: Path
) -> None:
    async with webhook_server() as outside:
        outside.plan = [Fault.BROKEN]
        async with running_engine(server, database, tmp_path, checkpoint_webhook=outside.url) as engine:
            await grow(database, 7)
            signed = await office(engine, CHECKPOINT, Checkpointed)
            assert (signed.size, signed.is_new, outside.taken) == (7, True, [])
            assert await office(engine, DELIVERY, HandedOver) == HandedOver(1, 0)
            assert await office(engine, DELIVERY, HandedOver) == HandedOver(0, 0)
            assert len(outside.taken) == 1


async def test_a_log_that_was_changed_ends_the_run_with_the_reason(
    server: EmbeddedServer, database: Database, tmp_path: Path
) -> None:
    async with running_engine(server, database, tmp_path) as engine:
        await grow(database, 7)
        await office(engine, CHECKPOINT, Checkpointed)
        await do(database, f"UPDATE audit_leaves SET leaf_hash = '{'ab' * 32}' WHERE sequence = 2")
        told = await office(engine, CHECKPOINT, Checkpointed)
        assert told == Checkpointed(problem=told.problem)
        assert "are not those that were signed" in told.problem
        assert await sizes(database) == [7]


async def _count(found: list[str]) -> int:
    return len(found)
