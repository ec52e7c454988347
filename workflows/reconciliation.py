"""The monthly reconciliation of accounts with customers (D33): statements go out, missing answers ring.

Neither has a clock of its own: Temporal Schedules start them. What was written before is never written again, so
that runs may overlap, be repeated or be made up for.
"""

from dataclasses import replace
from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from models.instants import render
from models.messages.reconciliation import (
    DEADLINES,
    MONTHLY,
    DeadlinesInput,
    Reconcile,
    Reconciled,
    Reminded,
    StatementsInput,
)
from models.reconciliation import month_before
from workflows import calls

BATCH = 50
"""Customers that one activity writes statements for."""

_SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn(name=MONTHLY)
class MonthlyReconciliationWorkflow:
    """Writes the statements of one month, batch by batch."""

    @workflow.run
    async def run(self, asked: Reconcile) -> Reconciled:
        """Write to every customer with open items or movements, and answer how many statements that were."""
        # a run that is made up for later is still about the month before it was due
        month = asked.month or month_before(render(_due()))
        after, written = asked.after, asked.written
        for _ in range(asked.batches_per_run):
            batch = StatementsInput(month, render(workflow.now()), asked.test_deals, after, BATCH)
            done = await calls.write_statements(batch)
            after, written = done.after, written + done.written
            if not after:
                return Reconciled(month, written)
        workflow.continue_as_new(replace(asked, month=month, after=after, written=written))


@workflow.defn(name=DEADLINES)
class ReconciliationDeadlinesWorkflow:
    """Tells people of statements that nobody has answered in time."""

    @workflow.run
    async def run(self) -> Reminded:
        """Ring once for each of them."""
        return await calls.ring_unanswered(DeadlinesInput(render(workflow.now())))


def _due() -> datetime:
    return workflow.info().typed_search_attributes.get(_SCHEDULED) or workflow.now()
