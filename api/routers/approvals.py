"""Requests for approval: the list, and deciding one, which is the deal's own action."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.keys import Desk, Me
from api.routers.actions import acted
from api.routes import ActRoute, GuardedRoute
from api.wire.deals import Acted, Approvals
from api.wire.office import Reason
from api.wire.shared import Cursor, Key, Limit, OptionalCode, Plain
from infra.desk.callers import Caller
from infra.desk.errors import Conflict, NoSuch
from infra.desk.service import DealDesk
from models.lifecycle.states import ApprovalState

router = APIRouter(prefix="/v1/approvals", tags=["approvals"], route_class=ActRoute)
reading = APIRouter(prefix="/v1/approvals", tags=["approvals"], route_class=GuardedRoute)

DECISIONS = {
    "offer": ("approve_offer", "decline_offer"),
    "write_off": ("approve_write_off", "decline_write_off"),
}
"""Kind of a request to the actions that decide it."""

Number = Annotated[int, Path(ge=1, le=10**6)]


@reading.get("", response_model=Approvals)
async def list_approvals(
    desk: Desk,
    me: Me,
    state: Annotated[ApprovalState, Query()] = ApprovalState.PENDING,
    role: Annotated[OptionalCode, Query(description="Requests that this role may decide")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Requests for approval on deals that you see, the earliest due first."""
    page = await desk.reading.approvals(me, str(state), role, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.post("/{deal_id}/{number}/approve", response_model=Acted, name="approve")
async def approve(
    deal_id: str, number: Number, asked: Reason, key: Key, desk: Desk, me: Me, response: Response
) -> Plain:
    """Approve exactly what was asked for."""
    action = await _action(desk, me, deal_id, number, 0, key)
    return await acted(desk, me, deal_id, action, asked.model_dump(), key, response)


@router.post("/{deal_id}/{number}/decline", response_model=Acted, name="decline")
async def decline(
    deal_id: str, number: Number, asked: Reason, key: Key, desk: Desk, me: Me, response: Response
) -> Plain:
    """Decline what was asked for."""
    action = await _action(desk, me, deal_id, number, 1, key)
    return await acted(desk, me, deal_id, action, asked.model_dump(), key, response)


async def _action(desk: DealDesk, me: Caller, deal_id: str, number: int, verdict: int, key: str) -> str:
    """The deal's action that decides this request. Raises NoSuch, or Conflict when it is decided already."""
    if await desk.books.deals.get(deal_id, me.scope) is None:
        raise NoSuch("deal", deal_id)
    rows = await desk.books.deals.children(deal_id, "approvals")
    asked = next((row for row in rows if row["approval_id"] == str(number)), None)
    if asked is None or asked["kind"] not in DECISIONS:
        raise NoSuch("request for approval", str(number))
    action = DECISIONS[asked["kind"]][verdict]
    decided = asked["state"] != ApprovalState.PENDING
    if decided and await desk.books.commands.find(deal_id, key) is None:
        problem = Conflict("already_decided", f"request {number} is {asked['state']} already")
        await desk.refusals.note_error(me, deal_id, action, problem, key)
        raise problem
    return action
