"""Facts: what the world is asked before the core decides."""

from models.command import Facts, Question
from models.messages.finance import HeadroomInput, HeadroomReleaseInput
from workflows import calls


async def gather(asked: Question | None) -> Facts:
    """Ask the department that knows."""
    if asked is None:
        return Facts()
    if isinstance(asked, HeadroomInput):
        return Facts(headroom=await calls.reserve_headroom(asked))
    return Facts(quote=await calls.quote(asked))


async def give_back(asked: Question | None, facts: Facts, key: str) -> None:
    """Undo what gathering reserved, when the act was refused after all."""
    if isinstance(asked, HeadroomInput) and facts.headroom and facts.headroom.granted:
        await calls.perform(HeadroomReleaseInput(f"undo:{key}", asked.key, asked.deal_id, 0, asked.at))
