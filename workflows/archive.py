"""Archiving a finished run of a deal: a workflow of its own, as it can only begin when the run has ended."""

from temporalio import workflow

from models.messages.records import ArchiveInput, ArchiveResult
from workflows import calls


@workflow.defn(name="ArchiveRun")
class ArchiveRunWorkflow:
    """Keeps one run's history with us, because the engine deletes closed histories after its retention time."""

    @workflow.run
    async def run(self, asked: ArchiveInput) -> ArchiveResult:
        """Wait for the run to end, then keep it."""
        return await calls.archive_run(asked)
