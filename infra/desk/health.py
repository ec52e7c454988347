"""Whether this installation can do its work: database, engine, and workers that poll its queue."""

import asyncio
from dataclasses import dataclass

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from infra.db import Database
from infra.desk.engine import Engine
from infra.desk.errors import EngineDown
from infra.stores.alerts import COUNT_OPEN

_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Health:
    """What was found: `ok`, or a sentence; `pollers` counts the workers on the task queue.

    `alerts` are those that nobody has looked at yet, and make nothing unhealthy; 0 when the database does not answer.
    """

    database: str
    engine: str
    worker: str
    pollers: int
    alerts: int = 0

    @property
    def is_ok(self) -> bool:
        """True when deals can be read and moved."""
        return self.database == self.engine == self.worker == "ok"


async def look_after(database: Database, engine: Engine, task_queue: str) -> Health:
    """Ask everybody, each with a deadline."""
    (stored, alerts), (reachable, pollers) = await asyncio.gather(_database(database), _engine(engine, task_queue))
    worker = "ok" if pollers else "nobody polls the task queue" if reachable == "ok" else "unknown"
    return Health(stored, reachable, worker, pollers, alerts)


async def _database(database: Database) -> tuple[str, int]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), database.read() as connection:
            return "ok", (await connection.execute(COUNT_OPEN)).scalar_one()
    except Exception as problem:  # whatever it is, it is what this page is for
        return type(problem).__name__, 0


async def _engine(engine: Engine, task_queue: str) -> tuple[str, int]:
    try:
        client = engine.client
        request = DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        async with asyncio.timeout(_PATIENCE_SECONDS):
            answer = await client.workflow_service.describe_task_queue(request)
    except (EngineDown, RPCError, TimeoutError) as problem:
        return f"unreachable ({type(problem).__name__})", 0
    return "ok", len(answer.pollers)
