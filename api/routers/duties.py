"""Separation of duties: its rules, conflicts in our history, and who could do what on any past day."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.keys import Desk, Me
from api.once import allow
from api.routes import GuardedRoute
from api.wire.duties import Conflicts, Duties, Rights
from api.wire.shared import Day, OptionalCode, OptionalId, Plain
from infra.control import duty_reports
from infra.control.detecting import Asked
from infra.desk.errors import Invalid
from models.lifecycle.roles import Role

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

AUDITORS = frozenset({Role.AUDITOR})
"""Conflicts tell of everybody's deals."""
READERS = AUDITORS | {Role.ADMIN}
"""Admins give the rights."""

First = Annotated[Day, Query(alias="from", description="The first day, in UTC")]
Last = Annotated[Day, Query(alias="to", description="The last day")]


@router.get("/duties", response_model=Duties)
async def list_duties(me: Me) -> Plain:
    """Which acts make up which duty, and which duties one person must not combine."""
    allow(me, "reading the rules about duties", READERS)
    return duty_reports.rules()


@router.get("/conflicts", response_model=Conflicts)
async def find_conflicts(
    desk: Desk,
    me: Me,
    first: First = "",
    last: Last = "",
    customer: Annotated[OptionalId, Query(description="Only this customer or customer group")] = "",
    test_deals: Annotated[bool, Query(description="Look at test deals, too")] = False,
) -> Plain:
    """Combined duties, self-approval and split concessions in our history; takes as long as there are entries."""
    allow(me, "looking for conflicts", AUDITORS)
    if first and last and last < first:
        raise Invalid({"to": "is before the first day"})
    await desk.reads.many(me, "conflicts", "conflicts")
    return await duty_reports.conflicts(desk.books.database, Asked(first, last, customer, test_deals))


@router.get("/rights", response_model=Rights)
async def list_rights(
    desk: Desk,
    me: Me,
    on: Annotated[Day, Query(description="The day, in UTC; today without")] = "",
    user: Annotated[OptionalId, Query(description="Only this user")] = "",
    action: Annotated[OptionalCode, Query(description="Only who could do this act")] = "",
) -> Plain:
    """Who could do what at any moment of a day, in their own right and as a deputy, and what is too much for one."""
    allow(me, "reading who could do what", READERS)
    if action and action not in duty_reports.ACTS:
        raise Invalid({"action": "there is no such act"})
    return await duty_reports.rights(desk.books.database, on or desk.clock()[:10], user, action)
