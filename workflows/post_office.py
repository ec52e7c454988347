"""The post office: looks into the outbox whenever its schedule says so, and has sent what waits there."""

from temporalio import workflow

from models.instants import render
from models.messages.post import POST_OFFICE, Dispatched, DispatchInput
from workflows import calls

BATCH = 10
"""Letters that one activity sends: few, so that a worker that is stopped has finished them."""

ROUNDS = 60
"""Batches of one run; what is left then waits for the next one."""


@workflow.defn(name=POST_OFFICE)
class PostOfficeWorkflow:
    """Sends batches of letters until the outbox is empty, or the mail server takes no more for now."""

    @workflow.run
    async def run(self) -> Dispatched:
        """Send what waits, and answer how many letters that were."""
        sent = failed = unsure = waiting = 0
        for _ in range(ROUNDS):
            done = await calls.dispatch_letters(DispatchInput(render(workflow.now()), BATCH))
            sent, failed, unsure = sent + done.sent, failed + done.failed, unsure + done.unsure
            waiting = done.waiting
            if not waiting or done.sent + done.failed + done.unsure < BATCH:
                break
        return Dispatched(sent, failed, unsure, waiting)
