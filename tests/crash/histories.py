"""Invariant 7: every run of a deal, open or closed, replays on the current code, and closed ones are in our archive."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from infra.stores.archive import HistoryArchive
from models.messages.deals import WORKFLOW, workflow_id
from workflows.registry import WORKFLOWS


@dataclass
class Histories:
    """What was replayed, and every finding."""

    replayed: int = 0
    events: int = 0
    problems: list[str] = field(default_factory=list)


async def replayed(client: Client, archive: HistoryArchive, deals: Iterable[str]) -> Histories:
    """Replay every run of these deals, and look whether every closed one is archived."""
    replayer = Replayer(
        workflows=list(WORKFLOWS),
        data_converter=client.data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    found = Histories()
    for deal_id in deals:
        kept = {row["run_id"] for row in await archive.of_deal(deal_id)}
        chain, run = [], await _describe(client, deal_id, None)
        while run is not None:  # backwards through the chain of continued runs
            run_id, status, before = run
            chain.append(run_id)
            if status != WorkflowExecutionStatus.RUNNING and run_id not in kept:
                found.problems.append(f"{deal_id}: the {status and status.name} run {run_id} is not archived")
            history = await _history(client, archive, deal_id, run_id, run_id in kept)
            found.replayed += 1
            found.events += len(history.events)
            result = await replayer.replay_workflow(
                WorkflowHistory(workflow_id(deal_id), list(history.events)), raise_on_replay_failure=False
            )
            if result.replay_failure is not None:
                found.problems.append(f"{deal_id}: run {run_id} does not replay: {result.replay_failure}")
            run = await _describe(client, deal_id, before) if before else None
        if kept - set(chain):
            found.problems.append(f"{deal_id}: archived runs {kept - set(chain)} are not in its chain")
    return found


async def _describe(
    client: Client, deal_id: str, run_id: str | None
) -> tuple[str, WorkflowExecutionStatus | None, str] | None:
    handle = client.get_workflow_handle(workflow_id(deal_id), run_id=run_id)
    described = await handle.describe()
    assert described.workflow_type == WORKFLOW
    pinned = client.get_workflow_handle(workflow_id(deal_id), run_id=described.run_id)
    async for event in pinned.fetch_history_events(page_size=1):
        before = event.workflow_execution_started_event_attributes.continued_execution_run_id
        return described.run_id, described.status, before
    return None


async def _history(client: Client, archive: HistoryArchive, deal_id: str, run_id: str, archived: bool) -> History:
    if archived:
        body = await archive.load(workflow_id(deal_id), run_id)
        assert body is not None
        return History.FromString(body)
    handle = client.get_workflow_handle(workflow_id(deal_id), run_id=run_id)
    return History(events=(await handle.fetch_history()).events)


async def until_archived(client: Client, task_queue: str) -> None:
    """Wait until every run on a task queue that has ended is archived; servers are shared, so others are left out."""
    quiet = 0
    for _ in range(600):
        running = [found.id async for found in client.list_workflows(f"{_ARCHIVING} AND TaskQueue = '{task_queue}'")]
        quiet = 0 if running else quiet + 1
        if quiet > 3:  # what the server lists lags behind what happens
            return
        await asyncio.sleep(0.3)
    raise AssertionError("runs that have ended are still not archived")


_ARCHIVING = "WorkflowType = 'ArchiveRun' AND ExecutionStatus = 'Running'"
