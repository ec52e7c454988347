"""Credit limits of customer groups, and groups that are on credit hold."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.keys import Desk, Me
from api.once import allow, once
from api.routes import GuardedRoute
from api.wire.credit import CreditLimit, CreditLimits, GroupHolds, NewLimit
from api.wire.shared import Cursor, Key, Limit, OptionalId, Plain
from infra.desk.ids import derived
from infra.gateways.credit_limits import CreditLimits as CreditLimitBook
from models.duties import MASTER_ACTS
from models.lifecycle.roles import HEADS, Role

limits = APIRouter(prefix="/v1/credit-limits", tags=["money"], route_class=GuardedRoute)
router = APIRouter(prefix="/v1/credit-holds", tags=["money"], route_class=GuardedRoute)

FIXERS = MASTER_ACTS["credit_limit"]
READERS = FIXERS | HEADS | {Role.ACCOUNTS_RECEIVABLE, Role.AUDITOR}


@limits.get("", response_model=CreditLimits)
async def list_credit_limits(
    desk: Desk,
    me: Me,
    group: Annotated[OptionalId, Query(description="Only this customer group")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Credit limits of customer groups, and what deals have reserved of them."""
    allow(me, "reading credit limits", READERS)
    page = await CreditLimitBook(desk.books.database).page(group, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}


@limits.post("", status_code=201, response_model=CreditLimit)
async def fix_credit_limit(asked: NewLimit, key: Key, desk: Desk, me: Me, response: Response) -> Plain:
    """Fix how much a customer group may owe; nobody does who works on one of its customers' cards."""
    allow(me, "fixing credit limits", FIXERS)
    book = CreditLimitBook(desk.books.database)

    async def work() -> Plain:
        async with desk.separation.kept(me, "fix_credit_limit", key) as author:
            effect = derived("L-", me.user, key)
            await book.fix_limit(asked.group, asked.currency, asked.limit_minor, author, effect, desk.clock())
        return next(row for row in (await book.page(asked.group)).rows if row["currency"] == asked.currency)

    return await once(desk, me, "credit-limits", key, asked.model_dump(), response, work)


@router.get("", response_model=GroupHolds)
async def list_credit_holds(
    desk: Desk,
    me: Me,
    group: Annotated[OptionalId, Query(description="Only this customer group")] = "",
    test: Annotated[bool | None, Query(description="Only test deals, or only real ones")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Plain:
    """Customer groups on credit hold because of deals that you see: for which invoice and since when."""
    page = await desk.credit.holds(me, group, test, cursor, limit)
    return {"items": page.rows, "next_cursor": page.next_cursor}
