"""Alerts: what a person must look at, and saying that somebody has."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.keys import Desk, Me
from api.once import once
from api.routes import GuardedRoute
from api.wire.post import Alert, Alerts
from api.wire.shared import Cursor, Key, Limit, Plain

router = APIRouter(prefix="/v1/alerts", tags=["alerts"], route_class=GuardedRoute)

Number = Annotated[int, Path(ge=1, le=2**53 - 1)]
Open = Annotated[bool, Query(alias="open", description="Only what nobody has acknowledged yet")]


@router.get("", response_model=Alerts)
async def list_alerts(desk: Desk, me: Me, open_only: Open = False, cursor: Cursor = "", limit: Limit = 50) -> Plain:
    """Alerts, the newest first."""
    page = await desk.alarms.page(me, open_only, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@router.post("/{number}/acknowledge", response_model=Alert)
async def acknowledge(number: Number, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Say that you see to it; who was the first stays."""

    async def work() -> Plain:
        return await desk.alarms.acknowledge(me, number)

    return await once(desk, me, "alerts", key, {"id": number}, response, work)
