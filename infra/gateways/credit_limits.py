"""Credit limits and holds as the risk officer sees and fixes them, and the audit of the credit book."""

from functools import partial
from types import NoneType
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, cast, func, not_, or_, select, tuple_

from infra.db import Database, insert_into, table_of
from infra.gateways import checked
from infra.gateways.difference import Difference
from infra.gateways.once import once
from infra.stores.audit_log import append_leaves
from infra.stores.master_log import Author, limit_leaf, refuse_limit
from infra.stores.pages import Page, look_page
from models.stages.group_hold import CREDIT_HOLD
from models.tables.money_books import CreditGroupRow as Group
from models.tables.money_books import GroupHoldRow as Hold
from models.tables.money_books import HeadroomRow as Headroom
from models.tables.projection import DealRow as Deal

_GROUP = (Group.group_id, Group.currency)


class CreditLimits:
    """What the API does with credit limits. Amounts are minor units."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fix_limit(
        self, group: str, currency: str, limit_minor: int, by: Author, effect_key: str, at: str
    ) -> None:
        """Fix a group's limit; from now on suggestions of the assessment don't change it. Reservations stay.

        Raises DutiesCombined when its author works, or lately worked, on a card of the group.
        """
        checked.text(group, "a group")
        checked.currency(currency)
        checked.amount(limit_minor, "a limit")
        checked.text(by.user, "who fixed it")
        checked.instant(at)
        row = {"group_id": group, "currency": currency, "limit_minor": limit_minor, "fixed_by": by.user}
        await once(self._database, effect_key, "credit.fix_limit", NoneType, partial(_fix, row=row, by=by, at=at))

    async def limits(self, after: tuple[str, str] = ("", ""), limit: int = 100) -> list[dict[str, Any]]:
        """Groups with their limits and reserved sums, page by page: pass the last (group, currency) as `after`."""
        query = select(*_GROUP, Group.limit_minor, Group.fixed_by, Group.reserved_minor)
        query = query.where(tuple_(*_GROUP) > tuple_(*after)).order_by(*_GROUP).limit(limit)
        async with self._database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def page(self, group: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Limits by group and currency, of one group when it is named. Raises BadCursor."""
        groups = table_of(Group)
        named, currency = groups.c.group_id.label("group"), groups.c.currency
        query: Select[Any] = select(named, currency, groups.c.limit_minor, groups.c.reserved_minor, groups.c.fixed_by)
        query = query.where(groups.c.group_id == group) if group else query
        return await look_page(self._database, query, [named, currency], cursor, limit)

    async def headroom(self, group: str) -> list[dict[str, Any]]:
        """The reservations of a group that count against its limit."""
        query = select(Headroom.key, Headroom.deal_id, Headroom.currency, Headroom.amount_minor, Headroom.expires_at)
        query = query.where(Headroom.group_id == group, Headroom.state == "active").order_by(Headroom.key)
        async with self._database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def verify(self) -> list[Difference]:
        """Where a group's reserved sum isn't the sum of its active reservations, and holds on groups whose deal is
        over or on no credit hold itself (unless the deal is just about to lift them)."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_DISAGREEING)).all()
            orphans = (await connection.execute(_ORPHANS)).all()
        return [
            *(
                Difference(
                    f"group {row.group_id} in {row.currency}", "reserved headroom", row.counted, row.reserved_minor
                )
                for row in rows
            ),
            *(Difference(f"group {row.group_id}", f"holds of {row.deal_id}", 0, row.counted) for row in orphans),
        ]


def _fix(connection: Connection, row: dict[str, Any], by: Author, at: str) -> None:
    group, currency = row["group_id"], row["currency"]
    before = select(Group.limit_minor).where(Group.group_id == group, Group.currency == currency).with_for_update()
    old = connection.execute(before).scalar_one_or_none()
    new = insert_into(connection.dialect.name, Group).values(**row, reserved_minor=0)
    fixed = {"limit_minor": row["limit_minor"], "fixed_by": row["fixed_by"]}
    connection.execute(new.on_conflict_do_update(index_elements=list(_GROUP), set_=fixed))
    append_leaves(connection, [limit_leaf(group, currency, old, row["limit_minor"], by, at)])
    refuse_limit(connection, group, by, at)


_ACTIVE = (
    select(Headroom.group_id, Headroom.currency, cast(func.sum(Headroom.amount_minor), BigInteger).label("amount"))
    .where(Headroom.state == "active")
    .group_by(Headroom.group_id, Headroom.currency)
    .subquery()
)
_COUNTED = func.coalesce(_ACTIVE.c.amount, 0)
_DISAGREEING = (
    select(*_GROUP, Group.reserved_minor, _COUNTED.label("counted"))
    .outerjoin(_ACTIVE, and_(_ACTIVE.c.group_id == Group.group_id, _ACTIVE.c.currency == Group.currency))
    .where(Group.reserved_minor != _COUNTED)
    .order_by(*_GROUP)
)
# the deal's own row lists its holds, separated by commas
_ON_CREDIT_HOLD = ("," + Deal.holds + ",").contains(f",{CREDIT_HOLD},")
_ORPHANS = (
    select(Hold.group_id, Hold.deal_id, func.count().label("counted"))
    .outerjoin(Deal, Deal.id == Hold.deal_id)
    .where(
        or_(
            Deal.id.is_(None),
            and_(Deal.pending_effects == 0, or_(Deal.closed_at != "", not_(_ON_CREDIT_HOLD))),
        )
    )
    .group_by(Hold.group_id, Hold.deal_id)
    .order_by(Hold.group_id, Hold.deal_id)
)
