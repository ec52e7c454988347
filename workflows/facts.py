"""Facts: what the world is asked before the core decides."""

from models.command import Facts, Question
from models.messages.finance import HeadroomInput, HeadroomReleaseInput
from workflows import calls


async def gather(asked: Question | None, *, patiently: bool = False) -> Facts:
    """Ask the department that knows; `patiently` when nobody waits for the answer but the deal itself."""
    if asked is None:
        return Facts()
    if isinstance(asked, HeadroomInput):
        return Facts(headroom=await calls.reserve_headroom(asked))
    return Facts(quote=await calls.quote(asked, patiently=patiently))


async def give_back(asked: Question | None, facts: Facts, held_minor: int, attempt: str) -> None:
    """Undo what gathering reserved beyond what the deal holds, when the act came to nothing after all.

    `attempt` is new each time: the same act may be asked for, reserved and refused again.
    """
    if isinstance(asked, HeadroomInput) and facts.headroom and facts.headroom.granted:
        key = f"undo:{asked.deal_id}:{attempt}"
        await calls.perform(HeadroomReleaseInput(key, asked.key, asked.deal_id, held_minor, asked.at))
