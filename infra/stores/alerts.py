"""Alerts: what a person must look at. One open alert per matter, until somebody has acknowledged it."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, func, select, update
from structlog import get_logger

from infra.db import Database, insert_into, table_of
from infra.stores.pages import Page, Row, look_page
from models.tables.post import AlertRow

_ALERTS = table_of(AlertRow)
_LONGEST_SUBJECT = 250
_OPEN = _ALERTS.c.acknowledged_at == ""

COUNT_OPEN = select(func.count()).select_from(_ALERTS).where(_OPEN)
"""How many alerts nobody has looked at yet."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Alert:
    """What is wrong (`kind`), with what (`subject`, of which 250 characters are kept), and in words."""

    kind: str
    subject: str
    text: str


class AlertStore:
    """Alerts by their number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ring(self, alert: Alert, at: str) -> bool:
        """Raise an alert; False when one about the same matter is open already, which then stands as it is."""
        is_new = await self._database.write(partial(ring, alert=alert, at=at))
        if is_new:
            tell_log(alert)
        return is_new

    async def page(self, open_only: bool = False, cursor: str = "", limit: int = 50) -> Page:
        """Alerts, the newest first."""
        query = select(_ALERTS).where(_OPEN) if open_only else select(_ALERTS)
        return await look_page(self._database, query, [_ALERTS.c.id], cursor, limit, newest_first=True)

    async def acknowledge(self, number: int, by: str, at: str) -> Row | None:
        """Note who has looked at it; who was the first stays. The alert afterwards, None when there is none."""

        def work(connection: Connection) -> Row | None:
            one = _ALERTS.c.id == number
            connection.execute(update(_ALERTS).where(one, _OPEN).values(acknowledged_by=by, acknowledged_at=at))
            row = connection.execute(select(_ALERTS).where(one)).mappings().one_or_none()
            return dict(row) if row else None

        return await self._database.write(work)

    async def open_count(self) -> int:
        """How many nobody has looked at yet."""
        return await self._database.look(lambda connection: connection.execute(COUNT_OPEN).scalar_one())


def ring(connection: Connection, alert: Alert, at: str) -> bool:
    """Raise an alert inside of a transaction; whoever commits it tells the log, if this answers True."""
    row = {"at": at, "kind": alert.kind, "subject": alert.subject[:_LONGEST_SUBJECT], "text": alert.text}
    added = insert_into(connection.dialect.name, AlertRow).on_conflict_do_nothing()
    return bool(connection.execute(added, row | {"acknowledged_by": "", "acknowledged_at": ""}).rowcount)


def settle(connection: Connection, kind: str, subject: str, by: str, at: str) -> None:
    """Close the open alert about a matter, if there is one, as its cause is gone."""
    matter = (_ALERTS.c.kind == kind, _ALERTS.c.subject == subject[:_LONGEST_SUBJECT], _OPEN)
    connection.execute(update(_ALERTS).where(*matter).values(acknowledged_by=by, acknowledged_at=at))


def tell_log(alert: Alert) -> None:
    """One line for whoever watches the log; the text stays in the database, as it may name a person."""
    log.warning("alert_raised", kind=alert.kind, subject=alert.subject)
