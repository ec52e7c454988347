"""Facts: what the world is asked before the core decides."""

from models.command import Answer, Facts, Question
from models.messages.control import PolicyInput
from models.messages.finance import GroupHoldsInput, HeadroomInput, HeadroomReleaseInput
from models.messages.receivables import LegacyNumberInput
from workflows import calls


class Gathering:
    """What one act has asked and learnt. `patiently` when nobody waits for the answer but the deal itself."""

    def __init__(self, *, patiently: bool) -> None:
        self.facts = Facts()
        self._patiently = patiently
        self._reserved: HeadroomInput | None = None

    async def ask(self, asked: Question) -> None:
        """Ask the department that knows."""
        answer = await self._answer(asked)
        self.facts = self.facts.told(answer)
        if isinstance(asked, HeadroomInput) and self.facts.headroom and self.facts.headroom.granted:
            self._reserved = asked

    async def give_back(self, held_minor: int, attempt: str) -> None:
        """Undo what gathering reserved beyond what the deal holds, when the act came to nothing after all.

        `attempt` is new each time: the same act may be asked for, reserved and refused again.
        """
        if (asked := self._reserved) is not None:
            key = f"undo:{asked.deal_id}:{attempt}"
            await calls.perform(HeadroomReleaseInput(key, asked.key, asked.deal_id, held_minor, asked.at))

    async def _answer(self, asked: Question) -> Answer:
        if isinstance(asked, HeadroomInput):
            return await calls.reserve_headroom(asked)
        if isinstance(asked, GroupHoldsInput):
            return await calls.read_group_holds(asked, patiently=self._patiently)
        if isinstance(asked, LegacyNumberInput):
            return await calls.claim_number(asked, patiently=self._patiently)
        if isinstance(asked, PolicyInput):
            return await calls.read_policy(asked, patiently=self._patiently)
        return await calls.quote(asked, patiently=self._patiently)
