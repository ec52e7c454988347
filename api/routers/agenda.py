"""What waits for whom until when: of one deal, and over all deals that one sees."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.keys import Desk, Me
from api.routes import GuardedRoute
from api.wire.deals import Agenda
from api.wire.shared import Cursor, Instant, Limit, OptionalCode, OptionalId, Plain
from infra.stores.deals import AgendaFilter

router = APIRouter(tags=["agenda"], route_class=GuardedRoute)


@router.get("/v1/deals/{deal_id}/agenda", response_model=Agenda)
async def read_deal_agenda(deal_id: str, desk: Desk, me: Me) -> Plain:
    """Everything that one deal waits for, the earliest first."""
    return {"items": await desk.reading.deal_agenda(me, deal_id), "next_cursor": ""}


@router.get("/v1/agenda", response_model=Agenda)
async def read_agenda(
    desk: Desk,
    me: Me,
    role: Annotated[OptionalCode, Query(description="Items that this role is to act on")] = "",
    person: Annotated[OptionalId, Query(description="Items that wait for this user")] = "",
    department: Annotated[OptionalCode, Query()] = "",
    until: Annotated[Instant, Query(description="Items due by this instant")] = "",
    test: Annotated[bool | None, Query(description="Only test deals, or only real ones")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """What waits for whom until when, the earliest first."""
    asked = AgendaFilter(role=role, person=person, department=department, until=until, test=test)
    page = await desk.reading.agenda(me, asked, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}
