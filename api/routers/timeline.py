"""What happened to a deal: its timeline, and the engine's archived histories."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from api.cursors import pack, unpack
from api.keys import Desk, Me
from api.routes import GuardedRoute
from api.wire.deals import ArchivedRuns, Timeline
from api.wire.shared import Cursor, Instant, Limit, Plain
from infra.desk.reading import history_json

router = APIRouter(prefix="/v1/deals/{deal_id}", tags=["timeline"], route_class=GuardedRoute)

BINARY = "application/x-protobuf"


@router.get("/timeline", response_model=Timeline)
async def read_timeline(
    deal_id: str,
    desk: Desk,
    me: Me,
    as_of: Annotated[Instant, Query(description="Only what had happened by this instant")] = "",
    refusals: Annotated[bool, Query(description="Tell of refused acts, too")] = False,
    cursor: Cursor = "",
    limit: Limit = 200,
) -> Plain:
    """The receipts of a deal in their order, each chained to the one before by its hash."""
    after = int(unpack(cursor, 0)[0])
    page = await desk.reading.timeline(me, deal_id, as_of, refusals and not after, after, limit)
    last = page.entries[-1] if page.entries else {"state_to": "", "sequence": 0}
    return {
        "deal_id": deal_id,
        "as_of": as_of,
        "state": last["state_to"],
        "version": last["sequence"],
        "entries": page.entries,
        "refusals": page.refusals,
        "next_cursor": pack(page.next_after) if page.next_after else "",
    }


@router.get("/history", response_model=ArchivedRuns)
async def list_history(deal_id: str, desk: Desk, me: Me) -> Plain:
    """The archived runs of the deal's workflow."""
    return {"items": await desk.reading.histories(me, deal_id)}


@router.get(
    "/history/{run_id}",
    response_class=Response,
    responses={200: {"content": {"application/json": {}, BINARY: {}}, "description": "The run's complete history"}},
)
async def read_history(
    deal_id: str,
    run_id: str,
    desk: Desk,
    me: Me,
    form: Annotated[Literal["json", "binary"], Query(alias="format")] = "json",
    clear: Annotated[bool, Query(description="Decrypt its payloads: for auditors, and logged")] = False,
) -> Response:
    """One archived run: as the JSON of Temporal's tools, or as binary protobuf."""
    history = await desk.reading.history(me, deal_id, run_id)
    history = await desk.decoding.history(me, deal_id, run_id, history) if clear else history
    if form == "binary":
        return Response(history, media_type=BINARY)
    return Response(history_json(run_id, history), media_type="application/json")
