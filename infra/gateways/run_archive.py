"""The port Archive: takes a finished run's full history from the engine and keeps it with us."""

import asyncio

from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowExecutionStatus

from infra.stores.archive import HistoryArchive
from models.instants import render
from models.messages.records import ArchiveInput, ArchiveResult

LOOKS, BETWEEN_LOOKS = 40, 0.25
"""A run asks to be archived just before it ends: seconds of patience are cheaper than a failed attempt."""


class RunStillOpen(RuntimeError):
    """The run has not ended yet; ask again."""


class EngineArchive:
    """Histories out of the engine, as binary protobuf."""

    def __init__(self, client: Client, archive: HistoryArchive) -> None:
        self._client, self._archive = client, archive

    async def archive_run(self, asked: ArchiveInput) -> ArchiveResult:
        """Keep the history of a run that has ended. Raises RunStillOpen before that."""
        handle = self._client.get_workflow_handle(asked.workflow_id, run_id=asked.run_id)
        described = await handle.describe()
        for _ in range(LOOKS):
            if described.status != WorkflowExecutionStatus.RUNNING:
                break
            await asyncio.sleep(BETWEEN_LOOKS)
            described = await handle.describe()
        else:
            raise RunStillOpen(f"run {asked.run_id} of {asked.workflow_id} is still open")
        events = (await handle.fetch_history()).events
        body = History(events=events).SerializeToString(deterministic=True)
        at = render(described.close_time) if described.close_time else ""
        return await self._archive.save(asked, body, len(events), at)
