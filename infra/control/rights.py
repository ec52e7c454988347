"""Who had which rights at any instant of the past, read from the audit log: users with their roles, and deputies."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select

from infra.db import Database, table_of
from models.deputies import Deputyship, passing, stands_in_for
from models.instants import DAY, day_start, plus
from models.tables.masters import UserRow
from models.tables.records import AuditLeafRow

_LEAVES, _USERS = table_of(AuditLeafRow), table_of(UserRow)

LOGGED = "audit log"
"""The rights stand in a leaf that was written by then."""
FIRST_RELEASE = "since the first release"
"""No leaf tells of them: the user was imported before imports left leaves, and nobody changed the rights since."""
NOT_LOGGED = "not logged then"
"""The user was imported before imports left leaves, and a later change tells other rights perhaps: those are shown."""

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class UserRights:
    """What a user could use at one instant. `since` is when these rights began, `origin` where that stands.

    `stands_in_for` names absent people whose rights the user could use as their deputy, `roles` are the user's own.
    `keyed` is False for who had no API key yet, and so could not act but through somebody at the machine itself.
    """

    user: str
    roles: tuple[str, ...]
    department: str = ""
    active: bool = True
    since: str = ""
    origin: str = LOGGED
    stands_in_for: tuple[str, ...] = ()
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """Rights that somebody had from one instant to just before another."""

    from_at: str
    until_at: str
    rights: UserRights


@dataclass(frozen=True, slots=True)
class RightsHistory:
    """All that the log tells of rights, in its order; `rows` are the users as they are now."""

    users: tuple[Body, ...]
    keys: tuple[Body, ...]
    ships: tuple[Body, ...]
    rows: tuple[Body, ...]

    def at(self, at: str) -> dict[str, UserRights]:
        """Everybody who was a user at an instant, by id."""
        found = {body["id"]: _told(body) for body in self.users if body["at"] <= at}
        later = {body["id"]: body for body in reversed(self.users)}
        for row in self.rows:
            if row["id"] not in found and row["created_at"] <= at:
                origin = NOT_LOGGED if row["id"] in later else FIRST_RELEASE
                told = _told({**later.get(row["id"], row), "at": row["created_at"]})
                found[row["id"]] = replace(told, origin=origin)
        ships = self.deputyships(at)
        keyed = {body["id"] for body in (*self.users, *self.keys) if body["at"] <= at and body.get("api_key_prefix")}
        return {
            user: replace(
                rights, stands_in_for=stands_in_for(user, ships, at) if rights.active else (), keyed=user in keyed
            )
            for user, rights in sorted(found.items())
        }

    def deputyships(self, until: str = "") -> list[Deputyship]:
        """Deputyships as the log told of them by an instant: a leaf tells one as it stood then, so the last counts."""
        last = {body["id"]: body for body in self.ships if not until or body["at"] <= until}
        return [
            Deputyship(body["absent"], body["deputy"], body["from_at"], body["until_at"], body.get("ended_at", ""))
            for body in last.values()
        ]

    def on(self, day: str) -> list[Held]:
        """The rights that anybody had at any moment of a day (UTC): who got a right in the morning and lost it in the
        afternoon had it. Raises ValueError for what is no day."""
        start = day_start(day)
        end = plus(start, DAY)
        cuts = [start, *sorted(at for at in self._changes() if start < at < end), end]
        held: list[Held] = []
        open_since: dict[str, Held] = {}
        for since, until in pairwise(cuts):
            for user, rights in self.at(since).items():
                before = open_since.get(user)
                if before is not None and before.rights == rights:
                    open_since[user] = replace(before, until_at=until)
                    continue
                if before is not None:
                    held.append(before)
                open_since[user] = Held(since, until, rights)
        return sorted([*held, *open_since.values()], key=lambda each: (each.rights.user, each.from_at))

    def _changes(self) -> set[str]:
        """Every instant at which somebody's rights may have changed."""
        told = {body["at"] for body in (*self.users, *self.keys, *self.ships)}
        windows = {at for ship in self.ships for at in (ship["from_at"], ship["until_at"])}
        return told | windows | {row["created_at"] for row in self.rows}


async def rights_history(database: Database) -> RightsHistory:
    """All that is known of rights."""
    return await database.look(_history)


async def rights_at(database: Database, at: str) -> dict[str, UserRights]:
    """Everybody who was a user at an instant, by id, with roles, department, whether active, and as whose deputy."""
    return (await rights_history(database)).at(at)


async def deputyships(database: Database, until: str = "") -> list[Deputyship]:
    """All deputyships as the audit log told of them by an instant; all that it tells of without one."""
    return (await rights_history(database)).deputyships(until)


def acting_roles(rights: dict[str, UserRights], absent: str) -> tuple[str, ...]:
    """The roles that a deputy of somebody gets; none when that person is not active."""
    person = rights.get(absent)
    return passing(person.roles) if person is not None and person.active else ()


def _history(connection: Connection) -> RightsHistory:
    users, keys, ships = (tuple(_bodies(connection, kind)) for kind in ("user", "api_key", "deputy"))
    shown = (_USERS.c.id, _USERS.c.roles, _USERS.c.department, _USERS.c.active, _USERS.c.created_at)
    rows = tuple(dict(row) for row in connection.execute(select(*shown)).mappings())
    return RightsHistory(users, keys, ships, rows)


def _bodies(connection: Connection, kind: str) -> Iterable[Body]:
    query = select(_LEAVES.c.body).where(_LEAVES.c.body.is_not(None), _LEAVES.c.kind == kind)
    return connection.execute(query.order_by(_LEAVES.c.sequence)).scalars()


def _told(body: Body) -> UserRights:
    return UserRights(body["id"], tuple(body["roles"]), body["department"], bool(body["active"]), body["at"])
