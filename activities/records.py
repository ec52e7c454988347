"""Activities of the records office: what every move leaves behind, and the archive of engine histories."""

from temporalio import activity

from models.messages.records import (
    ArchiveInput,
    ArchiveResult,
    RecordInput,
    RecordResult,
    StandingInput,
    StandingResult,
)
from models.ports import Archive, Recorder


class Records:
    """The records office with its recorder and archive."""

    def __init__(self, recorder: Recorder, archive: Archive) -> None:
        self._recorder, self._archive = recorder, archive

    @activity.defn
    async def record(self, asked: RecordInput) -> RecordResult:
        """Write timeline entries, projection, outbox events, audit leaves and answers in one transaction."""
        return await self._recorder.record(asked)

    @activity.defn
    async def read_standing(self, asked: StandingInput) -> StandingResult:
        """What stands in a timeline that the asker has not seen."""
        return await self._recorder.standing(asked)

    @activity.defn
    async def archive_run(self, asked: ArchiveInput) -> ArchiveResult:
        """Keep the full history of a run that is closed or continued; fails (and is retried) while it is open."""
        return await self._archive.archive_run(asked)
