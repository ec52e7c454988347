"""Activities of the monthly reconciliation: statements of account go out, missing answers ring."""

from temporalio import activity

from activities.heartbeat import beating
from models.messages.reconciliation import DeadlinesInput, Reminded, StatementsInput, StatementsWritten
from models.ports import Reconciler


class Reconciliation:
    """Accounts receivable with its statements."""

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    @activity.defn
    async def write_statements(self, asked: StatementsInput) -> StatementsWritten:
        """Write a batch of statements, each once."""
        async with beating():
            return await self._reconciler.write_statements(asked)

    @activity.defn
    async def ring_unanswered(self, asked: DeadlinesInput) -> Reminded:
        """Tell people of statements that nobody has answered in time."""
        return await self._reconciler.ring_unanswered(asked)
