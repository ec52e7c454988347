"""Deputies: who stands in for whom, kept in their table with a leaf for each step, and read for whoever acts."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from infra.db import Database, table_of
from infra.stores.audit_log import append_leaves, leaf_of_body
from infra.stores.pages import Page, Row, look_page
from models.deputies import Deputyship, stands_in_for, why_not
from models.tables.control import DeputyRow

_DEPUTIES = table_of(DeputyRow)
_LIVE = or_(_DEPUTIES.c.ended_at == "", _DEPUTIES.c.ended_at > _DEPUTIES.c.from_at)


class NotPossible(ValueError):
    """An appointment that the rules do not allow: field to what is wrong with it."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Appointment:
    """What is asked for: `asked` begins now when it names no beginning. `reason` stays in the table, not in the log."""

    asked: Deputyship
    reason: str
    by: str


class DeputyStore:
    """Deputyships."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def appoint(self, appointment: Appointment, at: str) -> Row:
        """Appoint a deputy. Raises NotPossible: against itself, for too long, twice, in a loop, in too long a chain."""
        row = _row(appointment, at)

        def work(connection: Connection) -> Row:
            number = connection.execute(insert(_DEPUTIES).values(row).returning(_DEPUTIES.c.id)).scalar_one()
            told = {**row, "id": number}
            # the leaf first: it waits for every other writer, so two appointments at once see each other
            append_leaves(connection, [leaf_of_body("deputy", str(number), _attested(told, appointment.by, at), at)])
            known = _ships(connection, row["from_at"], number)
            if wrong := why_not(_ship(told), known, at):
                raise NotPossible(wrong)
            return told

        return await self._database.write(work)

    async def end(self, number: int, by: str, at: str) -> Row | None:
        """End a deputyship before its time; one that is over already stays as it is. None when there is none."""

        def work(connection: Connection) -> Row | None:
            ending = update(_DEPUTIES).where(_DEPUTIES.c.id == number, _DEPUTIES.c.ended_at == "")
            ending = ending.where(_DEPUTIES.c.until_at > at).values(ended_at=at, ended_by=by).returning(_DEPUTIES)
            ended = connection.execute(ending).mappings().one_or_none()
            if ended is not None:
                append_leaves(connection, [leaf_of_body("deputy", str(number), _attested(dict(ended), by, at), at)])
                return dict(ended)
            there = connection.execute(select(_DEPUTIES).where(_DEPUTIES.c.id == number)).mappings().one_or_none()
            return dict(there) if there else None

        return await self._database.write(work)

    async def get(self, number: int) -> Row | None:
        """One deputyship."""
        return await self._database.row(select(_DEPUTIES).where(_DEPUTIES.c.id == number))

    async def page(self, user: str = "", active_at: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Deputyships in the order of their appointment: those that a user has to do with, those active at an instant.
        Raises BadCursor."""
        query = select(_DEPUTIES)
        if user:
            query = query.where(or_(_DEPUTIES.c.absent == user, _DEPUTIES.c.deputy == user))
        if active_at:
            not_ended = or_(_DEPUTIES.c.ended_at == "", _DEPUTIES.c.ended_at > active_at)
            query = query.where(_DEPUTIES.c.from_at <= active_at, _DEPUTIES.c.until_at > active_at, not_ended)
        return await look_page(self._database, query, [_DEPUTIES.c.id], cursor, limit)

    async def standing_in(self, user: str, at: str) -> tuple[str, ...]:
        """The absent people whose rights a user may use at an instant, through chains as well."""
        mine = select(_DEPUTIES.c.absent).where(_DEPUTIES.c.deputy == user, _DEPUTIES.c.until_at > at)
        query = select(_DEPUTIES).where(
            or_(_DEPUTIES.c.deputy == user, _DEPUTIES.c.deputy.in_(mine)), _DEPUTIES.c.until_at > at
        )
        rows = await self._database.rows(query)
        return stands_in_for(user, map(_ship, rows), at) if rows else ()


def _ships(connection: Connection, since: str, but: int) -> list[Deputyship]:
    query = select(_DEPUTIES).where(_DEPUTIES.c.until_at > since, _LIVE, _DEPUTIES.c.id != but)
    return [_ship(dict(row)) for row in connection.execute(query).mappings()]


def _ship(row: Row) -> Deputyship:
    return Deputyship(row["absent"], row["deputy"], row["from_at"], row["until_at"], row["ended_at"])


def _row(appointment: Appointment, at: str) -> Row:
    asked = appointment.asked
    return {
        "absent": asked.absent,
        "deputy": asked.deputy,
        "from_at": asked.from_at or at,
        "until_at": asked.until_at,
        "reason": appointment.reason,
        "appointed_by": appointment.by,
        "appointed_at": at,
        "ended_at": "",
        "ended_by": "",
    }


def _attested(row: Row, by: str, at: str) -> dict[str, Any]:
    """What the audit log keeps: who for whom and when, never the reason, which may be about somebody's health."""
    kept = {name: row[name] for name in ("id", "absent", "deputy", "from_at", "until_at", "ended_at")}
    return kept | {"act": "ended" if row["ended_at"] else "appointed", "by": by, "at": at}
