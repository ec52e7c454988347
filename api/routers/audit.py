"""The audit log: its leaves and root, and the verdicts on evidence and projections."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.keys import Desk, Me
from api.once import allow
from api.routes import GuardedRoute
from api.wire.office import AuditVerdict, Checkpoint, Leaves, RebuildVerdict
from api.wire.shared import Cursor, Limit, OptionalCode, Plain
from infra.desk.audit_reading import AuditReading
from models import codec
from models.lifecycle.roles import Role

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

READERS = frozenset({Role.AUDITOR, Role.ADMIN})
AUDITORS = frozenset({Role.AUDITOR})
"""Leaves tell of deals, which admins don't see."""


@router.get("/verification", response_model=AuditVerdict)
async def verify(desk: Desk, me: Me) -> Plain:
    """Verify every timeline's chain and every leaf; takes as long as there are entries."""
    allow(me, "verifying the audit log", READERS)
    report = await desk.books.audit.verify()
    return {**codec.encode(report), "sound": report.sound}


@router.get("/rebuild", response_model=RebuildVerdict)
async def compare(desk: Desk, me: Me) -> Plain:
    """Rebuild all projections from the timelines in memory and compare them row for row."""
    allow(me, "comparing projections", READERS)
    report = await desk.books.compare_projections()
    differences = [
        {**{name: str(getattr(one, name)) for name in ("deal_id", "table", "row", "column", "live", "rebuilt")}}
        for one in report.differences
    ]
    return {"sound": not differences, "deals": report.deals, "differences": differences}


@router.get("/checkpoint", response_model=Checkpoint)
async def checkpoint(desk: Desk, me: Me) -> Plain:
    """Size and root of the log: keep them to prove later that nothing was changed."""
    allow(me, "reading the audit log", READERS)
    told: Plain = codec.encode(await AuditReading(desk.books.database).checkpoint())
    return told


@router.get("/leaves", response_model=Leaves)
async def list_leaves(
    desk: Desk, me: Me, kind: Annotated[OptionalCode, Query()] = "", cursor: Cursor = "", limit: Limit = 100
) -> Plain:
    """Leaves of the log in their order."""
    allow(me, "reading the audit log", AUDITORS)
    page = await AuditReading(desk.books.database).leaves(kind, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}
