"""Deputies: who stands in for whom while somebody is away. A deputy acts with the header X-On-Behalf-Of."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.keys import Desk, Me
from api.once import once
from api.routes import GuardedRoute
from api.wire.deputies import Deputyship, Deputyships, NewDeputy
from api.wire.shared import Cursor, Key, Limit, OptionalId, Plain
from infra.control.standing_in import NewDeputy as Asked

router = APIRouter(prefix="/v1/deputies", tags=["users"], route_class=GuardedRoute)

Number = Annotated[int, Path(ge=1, le=2**53)]


@router.get("", response_model=Deputyships)
async def list_deputies(
    desk: Desk,
    me: Me,
    user: Annotated[OptionalId, Query(description="Only where this user is absent or stands in")] = "",
    active: Annotated[bool, Query(description="Only those that give rights now")] = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Deputyships: your own; directors, admins and auditors see all."""
    page = await desk.deputies.page(me, user, active, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.post("", status_code=201, response_model=Deputyship)
async def appoint_deputy(asked: NewDeputy, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Appoint a deputy: for yourself, or as the head, the director or an admin for somebody else."""
    wanted = Asked(asked.deputy, asked.until, asked.absent, asked.from_, asked.reason)

    async def work() -> Plain:
        return await desk.deputies.appoint(me, wanted)

    return await once(desk, me, "deputies", key, asked.model_dump(by_alias=True), response, work)


@router.post("/{number}/end", response_model=Deputyship)
async def end_deputy(number: Number, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """End a deputyship now; ended twice it stays as it was."""

    async def work() -> Plain:
        return await desk.deputies.end(me, number)

    return await once(desk, me, "deputies-end", key, {"number": number}, response, work)
