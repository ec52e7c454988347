"""A whole running system for tests: the real Temporal dev server, a worker in this process, our database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import WorkflowRunner

from infra.db import Database
from infra.settings import Settings, load_settings
from infra.temporal_client import connect_as
from infra.temporal_server import EmbeddedServer, ServerOptions
from infra.test_clock import clock_client, fast_forward, virtual_now
from infra.wiring import embedded_ports
from models import codec
from models.command import Actor
from models.errors import MoveRefused, Refusal
from models.instants import render
from models.messages.deals import (
    REFUSED,
    UPDATE_ACT,
    UPDATE_OPENED,
    WORKFLOW,
    ActInput,
    ActResult,
    StartInput,
    workflow_id,
)
from models.policy import DEFAULT, Policy
from models.stages.opening import OpenDeal
from models.timeline import digest
from worker import STRICT, build_worker


@asynccontextmanager
async def running_server(folder: Path, *, test_clock: bool = True) -> AsyncIterator[EmbeddedServer]:
    """A Temporal dev server on a file in the folder; nobody pulls the plug while tests run."""
    async with EmbeddedServer(ServerOptions(folder, test_clock=test_clock, synchronous="NORMAL")) as server:
        yield server


@dataclass
class Engine:
    """A client to the server, and the database that its worker writes to."""

    client: Client
    database: Database
    settings: Settings
    policy: Policy = DEFAULT
    task_timeout: timedelta | None = None

    async def open(self, deal_id: str, *, test: bool = True, moves_per_run: int = 1_500, **changes: Any) -> ActResult:
        """Open a deal of the account manager `u-account_manager`."""
        fields = {
            "title": "A deal",
            "customer": "c-1",
            "group": "g-1",
            "owner": "u-account_manager",
            "department": "north",
            "branch": "berlin",
            "currency": "EUR",
            "is_test": test,
        } | changes
        opened = codec.decode(OpenDeal, fields)
        actor = Actor(opened.owner, ("account_manager",))
        plain = codec.encode(opened)
        start = StartInput(
            deal_id, codec.encode(self.policy), actor, "open", digest(fields), plain, moves_per_run=moves_per_run
        )
        return await self.start(start, test=test)

    async def start(self, start: StartInput, *, test: bool = True) -> ActResult:
        """Start a deal's workflow and wait until its opening is recorded."""
        client = clock_client(self.client) if test else self.client
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            WORKFLOW,
            start,
            id=workflow_id(start.deal_id),
            task_queue=self.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            task_timeout=self.task_timeout,
        )
        result: ActResult = await client.execute_update_with_start_workflow(
            UPDATE_OPENED, start_workflow_operation=operation, result_type=ActResult
        )
        return result

    def handle(self, deal_id: str) -> WorkflowHandle[Any, Any]:
        """The handle of a deal's workflow."""
        return self.client.get_workflow_handle(workflow_id(deal_id))

    async def act(self, deal_id: str, role: str, action: str, key: str = "", **payload: Any) -> ActResult:
        """Act as `u-<role>`. Raises MoveRefused as the core does."""
        actor = Actor(f"u-{role}", (role,))
        key = key or f"{action}-{digest([action, role, payload])[:12]}"
        asked = ActInput(action, actor, key, digest([action, role, payload]), payload, settle=True)
        try:
            result: ActResult = await self.handle(deal_id).execute_update(
                UPDATE_ACT, asked, id=key, result_type=ActResult
            )
        except WorkflowUpdateFailedError as failed:
            cause = failed.cause
            if isinstance(cause, ApplicationError) and cause.type == REFUSED:
                raise MoveRefused(codec.decode(Refusal, cause.details[0])) from None
            raise
        return result

    async def now(self, deal_id: str) -> str:
        """The deal's own time, as an instant."""
        return render(await virtual_now(self.client, workflow_id(deal_id)))

    async def forward(self, deal_id: str, days: float) -> None:
        """Let virtual time pass for a test deal."""
        await fast_forward(self.client, workflow_id(deal_id), None, timedelta(days=days))


@asynccontextmanager
async def running_engine(
    server: EmbeddedServer, database: Database, folder: Path, runner: WorkflowRunner | None = STRICT, **settings: Any
) -> AsyncIterator[Engine]:
    """A worker on a task queue of its own, writing to `database`. Its payloads are plain, so that histories of tests
    can be kept and read; whole systems in tests (the demo, the crash tests) encrypt as they do by default."""
    chosen = load_settings(
        data_dir=folder,
        temporal_address=server.address,
        test_clock=True,
        task_queue=f"test-{folder.name}",
        **{"payloads": "plain"} | settings,
    )
    client = await connect_as(chosen, server.address)
    ports = embedded_ports(chosen, database, client)
    try:
        async with build_worker(client, chosen, ports, runner):
            yield Engine(client, database, chosen)
    finally:
        await ports.close()
