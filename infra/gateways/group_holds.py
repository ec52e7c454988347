"""Holds on customer groups: set and lifted by the deals whose money is late, read before other deals go on."""

from functools import cache

from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from infra.db import Database, insert_into
from models.messages.finance import GroupHold, GroupHoldInput, GroupHolds, GroupHoldsInput
from models.tables.money_books import GroupHoldRow as Hold

MOST_NAMED = 20
"""How many holds are told one by one; of the others only their number."""


def change(connection: Connection, asked: GroupHoldInput) -> None:
    """Set a hold, which keeps its first instant when it stands already; or lift it, or all of the deal's."""
    if asked.on:
        row = {
            "deal_id": asked.deal_id,
            "invoice": asked.invoice,
            "group_id": asked.group,
            "customer_id": asked.customer_id,
            "is_test": asked.is_test,
            "reason": asked.reason,
            "since": asked.at,
        }
        connection.execute(_add(connection.dialect.name), row)
        return
    own = delete(Hold).where(Hold.deal_id == asked.deal_id)
    connection.execute(own.where(Hold.invoice == asked.invoice) if asked.invoice else own)


async def holds_on(database: Database, asked: GroupHoldsInput) -> GroupHolds:
    """The holds that other deals set on a group, the oldest first."""
    values = {"of": asked.group, "own": asked.deal_id, "test": asked.is_test}
    async with database.read() as connection:
        rows = (await connection.execute(_OLDEST, values)).all()
        count = len(rows) if len(rows) < MOST_NAMED else await connection.scalar(_COUNT, values)
    return GroupHolds(tuple(GroupHold(row.deal_id, row.invoice, row.since) for row in rows), count or 0)


_OF_OTHERS = (Hold.group_id == bindparam("of"), Hold.is_test == bindparam("test"), Hold.deal_id != bindparam("own"))
_OLDEST = (
    select(Hold.deal_id, Hold.invoice, Hold.since)
    .where(*_OF_OTHERS)
    .order_by(Hold.since, Hold.deal_id, Hold.invoice)
    .limit(MOST_NAMED)
)
_COUNT = select(func.count()).select_from(Hold).where(*_OF_OTHERS)


@cache
def _add(dialect: str) -> sqlite.Insert | postgresql.Insert:
    return insert_into(dialect, Hold).on_conflict_do_nothing(index_elements=[Hold.deal_id, Hold.invoice])
