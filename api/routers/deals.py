"""Deals: open, list, read."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.keys import Desk, Me
from api.once import REPLAYED
from api.routes import ActRoute, GuardedRoute
from api.wire.deals import Acted, Deal, Deals, OpenDeal
from api.wire.shared import Cursor, Key, Limit, OptionalCode, OptionalId, Plain
from infra.desk.opening import NewDeal
from infra.stores.deals import DealFilter
from models import codec
from models.lifecycle.states import DealState, Stage

router = APIRouter(prefix="/v1/deals", tags=["deals"], route_class=ActRoute)


@router.post("", status_code=201, response_model=Acted, name="open")
async def open_deal(asked: OpenDeal, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Open a deal. The same key opens the same deal."""
    answer = await desk.open_deal(me, NewDeal(**asked.model_dump()), key)
    response.headers["Location"] = f"/v1/deals/{answer.deal_id}"
    response.headers["ETag"] = f'"{answer.version}"'
    if answer.replayed:
        response.headers[REPLAYED] = "true"
    told: Plain = codec.encode(answer)
    return told


reading = APIRouter(prefix="/v1/deals", tags=["deals"], route_class=GuardedRoute)


@reading.get("", response_model=Deals)
async def list_deals(
    desk: Desk,
    me: Me,
    stage: Annotated[Stage | None, Query()] = None,
    state: Annotated[DealState | None, Query()] = None,
    owner: Annotated[OptionalId, Query()] = "",
    customer: Annotated[OptionalId, Query()] = "",
    department: Annotated[OptionalCode, Query()] = "",
    linked_deal: Annotated[OptionalId, Query()] = "",
    test: Annotated[bool | None, Query(description="Only test deals, or only real ones")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Deals that you see, the latest opened first."""
    asked = DealFilter(stage or "", state or "", owner, customer, department, linked_deal, test)
    page = await desk.reading.deals(me, asked, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@reading.get("/{deal_id}", response_model=Deal)
async def read_deal(deal_id: str, desk: Desk, me: Me, response: Response) -> Plain:
    """One deal with its parts, as far as your role may see them. Its ETag is the version for `If-Match`."""
    deal = await desk.reading.deal(me, deal_id)
    response.headers["ETag"] = f'"{deal["version"]}"'
    return deal
