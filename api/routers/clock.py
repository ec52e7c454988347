"""The test clock: whether there is one, and moving it. Real deals have no clock but everybody's."""

from datetime import timedelta

from fastapi import APIRouter, Response

from api.keys import Desk, Me
from api.once import once
from api.routes import GuardedRoute
from api.wire.office import Advance, Advanced, ClockState
from api.wire.shared import Key, Plain
from models import codec

router = APIRouter(prefix="/v1/clock", tags=["clock"], route_class=GuardedRoute)


@router.get("", response_model=ClockState)
async def read_clock(desk: Desk, _: Me) -> Plain:
    """Whether clocks of test deals can be moved here."""
    why = await desk.test_time.why_off()
    return {"available": not why, "why": why}


@router.post("/advance", response_model=Advanced)
async def advance(asked: Advance, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Move the clock of one test deal, or of all open ones; answers when everything due by then has happened."""

    async def work() -> Plain:
        moved = await desk.advance_clock(me, asked.deal, timedelta(seconds=asked.seconds))
        return {"items": [codec.encode(one) for one in moved]}

    return await once(desk, me, "clock", key, asked.model_dump(), response, work)
