"""The office of evidence: signs the audit log whenever its schedule says so, and hands checkpoints to those outside."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from models.instants import render
from models.messages.evidence import CHECKPOINT, DELIVERY, Checkpointed, EvidenceInput, HandedOver
from workflows import calls

TRIES = 3
PAUSE = timedelta(seconds=20)
"""Between two tries; each has a `now` of its own."""


@workflow.defn(name=CHECKPOINT)
class CheckpointWorkflow:
    """Signs one checkpoint, and hands over what waits."""

    @workflow.run
    async def run(self) -> Checkpointed:
        """Sign, and answer what was signed, or why nothing was."""
        signed = await _signed()
        if signed.is_new:
            await calls.hand_over_checkpoints(EvidenceInput(render(workflow.now())))
        return signed


@workflow.defn(name=DELIVERY)
class CheckpointDeliveryWorkflow:
    """Hands over what was not taken before."""

    @workflow.run
    async def run(self) -> HandedOver:
        """One round; who fails again waits for the next one."""
        return await calls.hand_over_checkpoints(EvidenceInput(render(workflow.now())))


async def _signed() -> Checkpointed:
    for _ in range(TRIES - 1):
        try:
            return await calls.sign_checkpoint(EvidenceInput(render(workflow.now())))
        except FailureError:
            await workflow.sleep(PAUSE)
    return await calls.sign_checkpoint(EvidenceInput(render(workflow.now())))
