"""Activities of the office of evidence: checkpoints of the audit log are signed and handed outside."""

from temporalio import activity

from activities.heartbeat import beating
from models.messages.evidence import Checkpointed, EvidenceInput, HandedOver
from models.ports import EvidenceOffice


class Evidence:
    """The office of evidence."""

    def __init__(self, office: EvidenceOffice) -> None:
        self._office = office

    @activity.defn
    async def sign_checkpoint(self, asked: EvidenceInput) -> Checkpointed:
        """Sign the audit log as it stands. Not to be retried with the same input: its `now` would not be now."""
        async with beating():
            return await self._office.sign(asked.now)

    @activity.defn
    async def hand_over_checkpoints(self, asked: EvidenceInput) -> HandedOver:
        """Give those outside what they don't have yet."""
        async with beating():
            return await self._office.hand_over(asked.now)
