"""The worklist of the shortage desk: order lines that are out of stock, over all deals that one sees."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.keys import Desk, Me
from api.routes import GuardedRoute
from api.wire.deals import Shortages
from api.wire.shared import Cursor, Limit, OptionalCode, OptionalId, Plain
from infra.stores.deals import ShortageFilter

router = APIRouter(prefix="/v1/shortages", tags=["shortages"], route_class=GuardedRoute)


@router.get("", response_model=Shortages)
async def list_shortages(
    desk: Desk,
    me: Me,
    role: Annotated[
        OptionalCode,
        Query(description="Lines for which this role has to answer; both kinds of account managers count alike"),
    ] = "",
    deal: Annotated[OptionalId, Query(description="Only this deal's")] = "",
    article: Annotated[OptionalId, Query(description="Only this article")] = "",
    overdue: Annotated[bool | None, Query(description="Only late answers, or only those that have time")] = None,
    test: Annotated[bool | None, Query(description="Only test deals, or only real ones")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Order lines that are out of stock, with what can be done about them; the earliest due first."""
    asked = ShortageFilter(role=role, deal_id=deal, article=article, overdue=overdue, test=test)
    page = await desk.reading.shortages(me, asked, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}
