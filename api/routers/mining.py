"""Process mining: event logs of deals to take away, and whether every timeline fits the lifecycle tables."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.keys import Desk, Me
from api.once import allow
from api.problems import answer_with, problem
from api.routes import GuardedRoute
from api.wire.mining import ConformanceReport
from api.wire.shared import Day, OptionalId, Plain
from infra.evidence.mining import Chosen, ProcessMining
from infra.evidence.mining_forms import FILES, MEDIA_TYPES
from models.lifecycle.roles import Role
from models.lifecycle.states import Stage

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=GuardedRoute)

READERS = frozenset({Role.AUDITOR})
"""Who may read of all deals at once; an admin sees no deals."""

AT_ONCE = 2
"""Exports that may run at the same time: each keeps a connection to the database until its reader has everything."""

First = Annotated[Day, Query(alias="from", description="Deals to which something happened from this day (UTC) on")]
Last = Annotated[Day, Query(alias="to", description="Deals to which something happened until this day (UTC)")]
OfCustomer = Annotated[OptionalId, Query(description="Only this customer's deals")]
InStage = Annotated[Stage | None, Query(description="Only deals that are in this stage now")]
Test = Annotated[bool | None, Query(description="Only test deals, or only real ones")]


class Export(StreamingResponse):
    """A stream that gives back what it holds, however it ends; a problem when too many run already."""

    running = 0

    def __init__(self, pieces: AsyncGenerator[bytes, None], kind: str, name: str) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        super().__init__(pieces, media_type=kind, headers=headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with aclosing(self._pieces):
            if Export.running >= AT_ONCE:
                busy = problem(429, "too_many_requests", f"{AT_ONCE} exports are running already")
                return await answer_with(busy, {"Retry-After": "30"})(scope, receive, send)
            Export.running += 1
            try:
                await super().__call__(scope, receive, send)
            finally:
                Export.running -= 1


@router.get(
    "/event-log",
    response_class=StreamingResponse,
    responses={
        200: {"content": {kind.split(";")[0]: {} for kind in MEDIA_TYPES.values()}, "description": "The log"},
        429: {"$ref": "#/components/responses/problem_429"},
    },
)
async def export_event_log(
    desk: Desk,
    me: Me,
    form: Annotated[Literal["ocel", "xes", "csv"], Query(alias="format")] = "ocel",
    first: First = "",
    last: Last = "",
    customer: OfCustomer = "",
    stage: InStage = None,
    test: Test = None,
    amounts: Annotated[bool, Query(description="With amounts, discounts and margins")] = False,
) -> StreamingResponse:
    """The event log of all deals, each whole: OCEL 2.0 as JSON, XES (IEEE 1849-2016) or CSV, one event an entry."""
    allow(me, "exporting event logs", READERS)
    chosen = Chosen(first, last, customer, stage or "", test)
    mining = ProcessMining(desk.books.database)
    await desk.reads.many(me, f"event-log {form}", "event-log", await mining.count(chosen))
    return Export(_encoded(mining.event_log(form, chosen, amounts)), MEDIA_TYPES[form], f"deals.{FILES[form]}")


@router.get("/conformance", response_model=ConformanceReport)
async def report_conformance(
    desk: Desk,
    me: Me,
    first: First = "",
    last: Last = "",
    customer: OfCustomer = "",
    stage: InStage = None,
    test: Test = None,
    every: Annotated[bool, Query(alias="all", description="Tell of deals that fit, too")] = False,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Deals to tell of at most")] = 1_000,
) -> Plain:
    """Whether every timeline is a sequence of moves that the lifecycle tables of deals and their parts allow."""
    allow(me, "checking conformance", READERS)
    chosen = Chosen(first, last, customer, stage or "", test)
    report = await ProcessMining(desk.books.database).conformance(chosen, every, limit)
    await desk.reads.many(me, "conformance", "conformance", report.tally.cases)
    return report.plain()


async def _encoded(pieces: AsyncGenerator[str, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece.encode()
