"""Time travel: deals, customers and stock as they were and as we knew it, and who could do what then."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.keys import Desk, Me
from api.routes import GuardedRoute
from api.wire.as_of import CustomerThen, DealThen, StockThen, WhoCould
from api.wire.shared import OptionalCode, OptionalId, Plain
from infra.desk import stock_then, who_could
from infra.desk.customers_then import DEALS, MOST_DEALS, CustomersThen, OfCustomer
from infra.desk.time_travel import TimeTravel
from infra.desk.two_times import Asked

router = APIRouter(prefix="/v1", tags=["time travel"], route_class=GuardedRoute)

LONGEST = 40
At = Annotated[
    str, Query(max_length=LONGEST, description="The day (to its end, UTC) or instant that is asked about; empty: now")
]
KnownAt = Annotated[
    str, Query(max_length=LONGEST, description="The day or instant whose knowledge counts, not before `at`; empty: now")
]


@router.get("/deals/{deal_id}/as-of", response_model=DealThen)
async def read_deal_as_of(
    deal_id: str,
    desk: Desk,
    me: Me,
    at: At = "",
    known_at: KnownAt = "",
    compare: Annotated[
        str,
        Query(max_length=LONGEST, description="Also what was learnt from `known_at` until this day or instant"),
    ] = "",
) -> Plain:
    """One deal as it was, and its money as it was known."""
    return await TimeTravel(desk.books, desk.clock).deal(me, deal_id, Asked(at, known_at), compare)


@router.get("/deals/{deal_id}/who-could", response_model=WhoCould)
async def read_who_could(
    deal_id: str,
    desk: Desk,
    me: Me,
    at: At = "",
    known_at: KnownAt = "",
    action: Annotated[OptionalCode, Query(description="Only this action")] = "",
) -> Plain:
    """Who could do what with a deal, by the rights and the rules of that time, and what stood in the others' way."""
    return await who_could.WhoCould(desk.books, desk.clock).deal(me, deal_id, Asked(at, known_at), action)


@router.get("/customers/{customer_id}/as-of", response_model=CustomerThen)
async def read_customer_as_of(
    customer_id: str,
    desk: Desk,
    me: Me,
    at: At = "",
    known_at: KnownAt = "",
    group: Annotated[bool, Query(description="The whole group of the customer")] = False,
    test_deals: Annotated[bool, Query(description="Count test deals, too")] = False,
    limit: Annotated[int, Query(ge=1, le=MOST_DEALS, description="Deals to name at most")] = DEALS,
) -> Plain:
    """A customer as it was: money, exposure and credit limit per currency, deals by state, those that owed most."""
    asked = OfCustomer(customer_id, group, test_deals, limit)
    return await CustomersThen(desk.books, desk.clock).customer(me, asked, Asked(at, known_at))


@router.get("/stock/as-of", response_model=StockThen)
async def read_stock_as_of(
    desk: Desk,
    _: Me,
    article: Annotated[OptionalId, Query(description="The article")],
    warehouse: Annotated[OptionalCode, Query(description="On hand in this warehouse alone")] = "",
    at: At = "",
    known_at: KnownAt = "",
) -> Plain:
    """What lay in which warehouse, and how much of it was reserved."""
    return await stock_then.StockThen(desk.books, desk.clock).article(article, warehouse, Asked(at, known_at))
