"""Whether the credit book would grant headroom, without reserving any."""

from sqlalchemy import BigInteger, cast, func, select

from infra.db import Database
from models.messages.finance import HeadroomInput, HeadroomResult
from models.tables.money_books import CreditGroupRow as Group
from models.tables.money_books import HeadroomRow as Headroom


async def would_grant(database: Database, asked: HeadroomInput) -> HeadroomResult:
    """What `CreditBook.reserve` would answer now: the group's limit less what other deals hold."""
    group = select(Group.limit_minor, Group.fixed_by).where(
        Group.group_id == asked.group, Group.currency == asked.currency
    )
    held = select(Headroom.key, cast(func.sum(Headroom.amount_minor), BigInteger).label("amount")).where(
        Headroom.group_id == asked.group,
        Headroom.currency == asked.currency,
        Headroom.state == "active",
        Headroom.expires_at >= asked.at,
    )
    async with database.read() as connection:
        found = (await connection.execute(group)).one_or_none()
        amounts = {row.key: row.amount for row in await connection.execute(held.group_by(Headroom.key))}
    # a limit that the risk officer did not fix follows the suggestion of the latest assessment
    limit = found.limit_minor if found is not None and found.fixed_by else asked.suggested_limit_minor
    own = amounts.pop(asked.key, 0)
    used = sum(amounts.values())
    granted = asked.amount_minor <= own or used + asked.amount_minor <= limit
    return HeadroomResult(granted, limit, used)
