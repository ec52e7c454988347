"""Letters to customers: the list, and what a person decides about those that did not leave."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.keys import Desk, Me
from api.once import once
from api.routes import GuardedRoute
from api.wire.letters import Letter, Letters, LetterStateName
from api.wire.shared import Cursor, Key, Limit, Plain

router = APIRouter(prefix="/v1/letters", tags=["letters"], route_class=GuardedRoute)

LetterKey = Annotated[str, Path(max_length=200, description="`key` of a letter, with its slashes if it has any")]
State = Annotated[LetterStateName | None, Query(description="Only letters in this state")]


@router.get("", response_model=Letters)
async def list_letters(desk: Desk, me: Me, state: State = None, cursor: Cursor = "", limit: Limit = 50) -> Plain:
    """Letters and where they stand, the oldest first."""
    page = await desk.letters.page(me, state or "", cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.post("/{letter:path}/resend", response_model=Letter)
async def resend(letter: LetterKey, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Let a letter be sent (again), under the Message-ID that it has; of one that failed, is unsure or kept."""

    async def work() -> Plain:
        return await desk.letters.resend(me, letter)

    return await once(desk, me, "letters", key, {"letter": letter, "decision": "resend"}, response, work)


@router.post("/{letter:path}/mark-sent", response_model=Letter)
async def mark_sent(letter: LetterKey, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Note that a letter has reached the customer, by mail or by other means, so that it is not sent again."""

    async def work() -> Plain:
        return await desk.letters.mark_sent(me, letter)

    return await once(desk, me, "letters", key, {"letter": letter, "decision": "mark-sent"}, response, work)
