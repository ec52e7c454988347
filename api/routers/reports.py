"""Management's reports: response times of departments, and discrepancies by their cause."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.keys import Desk, Me
from api.routes import GuardedRoute
from api.wire.reports import DiscrepancyReport, ResponseTimesReport
from api.wire.shared import Day, Instant, Plain
from infra.stores.reports import By, Period

router = APIRouter(prefix="/v1/reports", tags=["reports"], route_class=GuardedRoute)

First = Annotated[Day, Query(alias="from", description="The first day, in UTC; empty: from the beginning")]
Last = Annotated[Day, Query(alias="to", description="The last day, in UTC; empty: until now")]
TestDeals = Annotated[bool, Query(description="Count test deals, too")]


@router.get("/response-times", response_model=ResponseTimesReport)
async def report_response_times(
    desk: Desk,
    me: Me,
    first: First = "",
    last: Last = "",
    as_of: Annotated[Instant, Query(description="When open requests are judged late; empty: now")] = "",
    test_deals: TestDeals = False,
) -> Plain:
    """How fast departments answered what deals asked them in a period."""
    return await desk.reporting.response_times(me, Period(first, last, test_deals), as_of)


@router.get("/discrepancies", response_model=DiscrepancyReport)
async def report_discrepancies(
    desk: Desk,
    me: Me,
    first: First = "",
    last: Last = "",
    by: Annotated[By, Query(description="What acts and units are counted by")] = "cause",
    test_deals: TestDeals = False,
) -> Plain:
    """Goods that were not as ordered in a period, by cause or kind, and what was done against repetition."""
    return await desk.reporting.discrepancies(me, Period(first, last, test_deals), by)
