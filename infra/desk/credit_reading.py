"""Customer groups on credit hold as callers see them: because of which deal in their scope, and since when."""

from sqlalchemy import select

from infra.db import Database, table_of
from infra.desk.callers import Caller
from infra.stores.deals import visible
from infra.stores.pages import Page, look_page
from models.tables.money_books import GroupHoldRow
from models.tables.projection import DealRow

_DEALS, _HOLDS = table_of(DealRow), table_of(GroupHoldRow)


class CreditReading:
    """Reads holds on customer groups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def holds(
        self, caller: Caller, group: str = "", test: bool | None = None, cursor: str = "", limit: int = 50
    ) -> Page:
        """Holds of deals that the caller sees, the oldest first. Raises BadCursor."""
        query = select(
            _HOLDS.c.group_id.label("group"), _HOLDS.c.customer_id.label("customer"), _HOLDS.c.deal_id,
            _HOLDS.c.invoice, _HOLDS.c.reason, _HOLDS.c.since, _HOLDS.c.is_test, _DEALS.c.owner,
        )  # fmt: skip
        query = query.join(_DEALS, _DEALS.c.id == _HOLDS.c.deal_id).where(visible(caller.scope))
        query = query.where(_HOLDS.c.group_id == group) if group else query
        query = query if test is None else query.where(_HOLDS.c.is_test == test)
        return await look_page(
            self._database, query, [_HOLDS.c.since, _HOLDS.c.deal_id, _HOLDS.c.invoice], cursor, limit
        )
