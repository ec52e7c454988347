"""Credit limits per customer group and currency, the headroom that deals reserve from them, and holds on groups.

Every writer locks the group's row first and the reservations after it. The limit is kept by one conditional
UPDATE of that row, so two deals can't jointly overrun it.
"""

from functools import cache, partial
from types import NoneType
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from infra.db import Database, insert_into
from infra.gateways import checked, group_holds
from infra.gateways.once import checked_key, once
from models.messages.finance import (
    BrokenPromiseInput,
    GroupHoldInput,
    GroupHolds,
    GroupHoldsInput,
    HeadroomInput,
    HeadroomReleaseInput,
    HeadroomReleaseResult,
    HeadroomResult,
)
from models.tables.masters import CustomerRow
from models.tables.money_books import CreditGroupRow as Group
from models.tables.money_books import HeadroomRow as Headroom


class SqlCreditBook:
    """The port CreditBook on our database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, asked: HeadroomInput) -> HeadroomResult:
        """Reserve headroom under `key`, or move its reservation to another amount; when refused, the old one stands.

        Reservations of the group that ran out before `at` are ended first. A group's row appears on demand with the
        suggested limit, which follows later suggestions until the risk officer fixes it.
        """
        checked_key(asked.key)
        checked.text(asked.group, "a group")
        checked.currency(asked.currency)
        checked.amount(asked.amount_minor)
        checked.amount(asked.suggested_limit_minor, "a limit")
        checked.instant(asked.at)
        checked.instant(asked.expires_at)
        return await self._database.write(partial(_reserve, asked=asked))

    async def release(self, asked: HeadroomReleaseInput) -> HeadroomReleaseResult:
        """Lower the reservation under `key` to what remains; an unknown or ended one gives nothing back."""
        checked.amount(asked.remaining_minor)
        checked.instant(asked.at)
        work = partial(_release, asked=asked)
        return await once(self._database, asked.effect_key, "credit.release", HeadroomReleaseResult, work)

    async def note_broken_promise(self, asked: BrokenPromiseInput) -> None:
        """Count a broken promise on the customer's card, where the credit bureau looks for it."""
        work = partial(_count_broken_promise, asked=asked)
        await once(self._database, asked.effect_key, "credit.broken_promise", NoneType, work)

    async def set_hold(self, asked: GroupHoldInput) -> None:
        """Hold a customer group because of a deal, or lift that; what stands or is gone already stays as it is."""
        checked.text(asked.group, "a group")
        checked.text(asked.deal_id, "a deal")
        checked.instant(asked.at)
        await once(self._database, asked.effect_key, "credit.hold", NoneType, partial(group_holds.change, asked=asked))

    async def holds(self, asked: GroupHoldsInput) -> GroupHolds:
        """Which other deals hold a customer group."""
        return await group_holds.holds_on(self._database, asked)


def _count_broken_promise(connection: Connection, asked: BrokenPromiseInput) -> None:
    count = update(CustomerRow).where(CustomerRow.id == asked.customer_id)
    connection.execute(count.values(broken_promises=CustomerRow.broken_promises + 1))


def _reserve(connection: Connection, asked: HeadroomInput) -> HeadroomResult:
    group = _lock_group(connection, asked)
    reserved = group.reserved_minor - _end_expired(connection, asked)
    own = _own(connection, asked.key)
    if own is not None and own.state != "active" and asked.at < own.changed_at:
        # a late echo of a request that was answered long ago: what it asked for has been given back since
        return HeadroomResult(False, group.limit_minor, reserved)
    active = own if own is not None and own.state == "active" else None
    moves_in = active is not None and (active.group_id, active.currency) != (asked.group, asked.currency)
    before = 0 if active is None or moves_in else active.amount_minor
    change = {"group": asked.group, "in": asked.currency, "change": asked.amount_minor - before}
    granted = connection.execute(_MOVE_RESERVED, change).rowcount == 1
    if granted:
        if active is not None and moves_in:
            old = {"group": active.group_id, "in": active.currency, "units": active.amount_minor}
            connection.execute(_GIVE_BACK, old)
        _note(connection, asked)
    return HeadroomResult(granted, group.limit_minor, reserved - before)


def _lock_group(connection: Connection, asked: HeadroomInput) -> Row[int, int]:
    """The group's row, locked until the end, made or brought to the suggested limit on the way."""
    row = {
        "group_id": asked.group,
        "currency": asked.currency,
        "limit_minor": asked.suggested_limit_minor,
        "fixed_by": "",
        "reserved_minor": 0,
    }
    return connection.execute(_upsert_group(connection.dialect.name), row).one()


def _end_expired(connection: Connection, asked: HeadroomInput) -> int:
    """End what ran out before `at` in the group and lower its reserved sum; answers by how much."""
    place = {"group": asked.group, "in": asked.currency, "now": asked.at}
    expired = connection.execute(_EXPIRED, place).all()
    if not expired:
        return 0
    for row in expired:
        connection.execute(_END, {"of": row.key, "now": asked.at})
    units: int = sum(row.amount_minor for row in expired)
    connection.execute(_GIVE_BACK, {"group": asked.group, "in": asked.currency, "units": units})
    return units


def _own(connection: Connection, key: str) -> Row[Any] | None:
    return connection.execute(_HEADROOM, {"of": key}).one_or_none()


def _note(connection: Connection, asked: HeadroomInput) -> None:
    row = {
        "key": asked.key,
        "deal_id": asked.deal_id,
        "group_id": asked.group,
        "currency": asked.currency,
        "amount_minor": asked.amount_minor,
        "expires_at": asked.expires_at,
        "state": "active",
        "changed_at": asked.at,
    }
    connection.execute(_upsert_headroom(connection.dialect.name), row)


def _release(connection: Connection, asked: HeadroomReleaseInput) -> HeadroomReleaseResult:
    found = _own(connection, asked.key)
    if found is None:
        return HeadroomReleaseResult(0)
    group = {"group": found.group_id, "in": found.currency}
    connection.execute(_LOCK_GROUP, group)
    own = _own(connection, asked.key)  # again: it may have changed while the group was locked by another
    if own is None or own.state != "active" or own.amount_minor <= asked.remaining_minor:
        return HeadroomReleaseResult(0)
    released: int = own.amount_minor - asked.remaining_minor
    state = "active" if asked.remaining_minor else "released"
    connection.execute(_LOWER, {"of": asked.key, "to": asked.remaining_minor, "into": state, "now": asked.at})
    connection.execute(_GIVE_BACK, {**group, "units": released})
    return HeadroomReleaseResult(released)


_THE_GROUP = (Group.group_id == bindparam("group"), Group.currency == bindparam("in"))
_LOCK_GROUP = select(Group.group_id).where(*_THE_GROUP).with_for_update()
_CHANGE = bindparam("change", type_=BigInteger)
_AFTER = Group.reserved_minor + _CHANGE
_MOVE_RESERVED = (
    update(Group)
    # whoever asks for less, or for the same again, is not refused because the limit sank meanwhile
    .where(*_THE_GROUP, or_(Group.limit_minor >= _AFTER, _CHANGE <= 0))
    .values(reserved_minor=_AFTER)
)
_GIVE_BACK = update(Group).where(*_THE_GROUP).values(reserved_minor=Group.reserved_minor - bindparam("units"))

_HEADROOM = select(Headroom).where(Headroom.key == bindparam("of"))
_EXPIRED = (
    select(Headroom.key, Headroom.amount_minor)
    .where(
        Headroom.group_id == bindparam("group"),
        Headroom.currency == bindparam("in"),
        Headroom.state == "active",
        Headroom.expires_at < bindparam("now"),
    )
    .order_by(Headroom.key)
)
_END = update(Headroom).where(Headroom.key == bindparam("of")).values(state="expired", changed_at=bindparam("now"))
_LOWER = (
    update(Headroom)
    .where(Headroom.key == bindparam("of"))
    .values(amount_minor=bindparam("to"), state=bindparam("into"), changed_at=bindparam("now"))
)


@cache
def _upsert_group(dialect: str) -> ReturningInsert[int, int]:
    new = insert_into(dialect, Group)
    followed = case((Group.fixed_by == "", new.excluded.limit_minor), else_=Group.limit_minor)
    upsert = new.on_conflict_do_update(index_elements=[Group.group_id, Group.currency], set_={"limit_minor": followed})
    return upsert.returning(Group.limit_minor, Group.reserved_minor)


@cache
def _upsert_headroom(dialect: str) -> sqlite.Insert | postgresql.Insert:
    new = insert_into(dialect, Headroom)
    changed = {name: value for name, value in new.excluded.items() if name != "key"}
    return new.on_conflict_do_update(index_elements=[Headroom.key], set_=changed)
