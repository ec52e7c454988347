"""Customer groups that are on credit hold."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.keys import Desk, Me
from api.routes import GuardedRoute
from api.wire.credit import GroupHolds
from api.wire.shared import Cursor, Limit, OptionalId, Plain

router = APIRouter(prefix="/v1/credit-holds", tags=["money"], route_class=GuardedRoute)


@router.get("", response_model=GroupHolds)
async def list_credit_holds(
    desk: Desk,
    me: Me,
    group: Annotated[OptionalId, Query(description="Only this customer group")] = "",
    test: Annotated[bool | None, Query(description="Only test deals, or only real ones")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Customer groups on credit hold because of deals that you see: for which invoice and since when."""
    page = await desk.credit.holds(me, group, test, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}
