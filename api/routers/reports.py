"""Management's reports: response times of departments, discrepancies by their cause, and receivables."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.keys import Desk, Me
from api.routes import GuardedRoute
from api.wire.receivable_reports import (
    AgeingReport,
    EffectivenessReport,
    ExpectedCashReport,
    LatenessReport,
    SalesOutstandingReport,
)
from api.wire.reports import DiscrepancyReport, ResponseTimesReport
from api.wire.shared import Day, Instant, OptionalCurrency, OptionalId, Plain
from infra.desk.money_reports import CUSTOMERS, DAYS, MOST_CUSTOMERS, MOST_DAYS, MOST_WEEKS, WEEKS, Asked, MoneyReports
from infra.desk.service import DealDesk
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


AsOf = Annotated[Day, Query(description="The day, in UTC, at whose end things stood so; empty: today")]
KnownAt = Annotated[
    str,
    Query(
        max_length=40, description="Count what was known by this day or instant, on its value days; empty: as booked"
    ),
]
OfCurrency = Annotated[OptionalCurrency, Query(description="Only this currency (ISO 4217)")]
OfCustomer = Annotated[OptionalId, Query(description="Only this customer")]
Named = Annotated[int, Query(ge=1, le=MOST_CUSTOMERS, description="Customers to name at most")]
Days = Annotated[int, Query(ge=1, le=MOST_DAYS, description="Days of the period that ends with the day")]


@router.get("/ageing", response_model=AgeingReport)
async def report_ageing(
    desk: Desk,
    me: Me,
    as_of: AsOf = "",
    currency: OfCurrency = "",
    customer: OfCustomer = "",
    limit: Named = CUSTOMERS,
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> Plain:
    """What was open at the end of a day by how late it was, per currency and customer."""
    return await _money_reports(desk).ageing(me, Asked(as_of, currency, customer, test_deals, limit, known_at))


@router.get("/dso", response_model=SalesOutstandingReport)
async def report_dso(
    desk: Desk,
    me: Me,
    as_of: AsOf = "",
    days: Days = DAYS,
    currency: OfCurrency = "",
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> Plain:
    """Days sales outstanding, best possible DSO and average days delinquent, per currency."""
    asked = Asked(as_of, currency, test_deals=test_deals, known_at=known_at)
    return await _money_reports(desk).dso(me, asked, days)


@router.get("/collection-effectiveness", response_model=EffectivenessReport)
async def report_collection_effectiveness(
    desk: Desk,
    me: Me,
    as_of: AsOf = "",
    days: Days = DAYS,
    currency: OfCurrency = "",
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> Plain:
    """How much of what could have been collected in a period was collected, per currency."""
    asked = Asked(as_of, currency, test_deals=test_deals, known_at=known_at)
    return await _money_reports(desk).effectiveness(me, asked, days)


@router.get("/expected-cash", response_model=ExpectedCashReport)
async def report_expected_cash(
    desk: Desk,
    me: Me,
    as_of: AsOf = "",
    weeks: Annotated[int, Query(ge=1, le=MOST_WEEKS, description="ISO weeks, that of the day first")] = WEEKS,
    currency: OfCurrency = "",
    customer: OfCustomer = "",
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> Plain:
    """What money is expected in which week; disputed amounts and those with legal apart."""
    asked = Asked(as_of, currency, customer, test_deals, known_at=known_at)
    return await _money_reports(desk).expected_cash(me, asked, weeks)


@router.get("/lateness", response_model=LatenessReport)
async def report_lateness(
    desk: Desk,
    me: Me,
    as_of: AsOf = "",
    currency: OfCurrency = "",
    customer: OfCustomer = "",
    limit: Named = CUSTOMERS,
    test_deals: TestDeals = False,
    known_at: KnownAt = "",
) -> Plain:
    """How late customers paid, and how many invoices reached which rung of the collection ladder."""
    return await _money_reports(desk).lateness(me, Asked(as_of, currency, customer, test_deals, limit, known_at))


def _money_reports(desk: DealDesk) -> MoneyReports:
    return MoneyReports(desk.books, desk.clock)
