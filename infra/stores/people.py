"""The people and machine clients who may act, and their API keys, of which only a hash is kept."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from infra.db import Database, insert_into, table_of
from infra.stores.audit_log import Leaf, append_leaves, leaf_of_body
from infra.stores.master_log import OPERATOR
from infra.stores.pages import Page, Row, look_page
from infra.stores.upserts import add
from models.lifecycle.roles import PERSONS, Role
from models.tables.masters import UserRow

_USERS = table_of(UserRow)
_SHOWN = [column for column in _USERS.columns if column.name != "api_key_hash"]
_NOBODY = hashlib.sha256(b"nobody").hexdigest()


class NoSuchPerson(LookupError):
    """There is no user with this id."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user as everybody may see it; `key_prefix` is the visible part of the API key. `roles` are role names of the
    domain; `system` is nobody's."""

    id: str
    name: str
    roles: tuple[str, ...]
    department: str = ""
    active: bool = True
    key_prefix: str = ""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.roles) - {str(role) for role in PERSONS}):
            raise ValueError(f"no role that a person can hold: {', '.join(unknown)}")

    @property
    def held_roles(self) -> frozenset[Role]:
        """The roles as the domain's enum."""
        return frozenset(Role(role) for role in self.roles)


class PeopleStore:
    """Users and their keys `dw_<prefix>_<secret>`; the prefix is visible, the secret is shown once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, person: Person, at: str, by: str = OPERATOR.user) -> str:
        """Add a user and answer the API key, which cannot be read again; `by` is who does. Raises AlreadyStands."""
        key, fields = _new_key()

        def work(connection: Connection) -> None:
            add(connection, UserRow, _row(person, at) | fields)
            append_leaves(connection, [_leaf(person, fields, at, by)])

        await self._database.write(work)
        return key

    async def put_many(self, people: Sequence[Person], at: str, by: str = OPERATOR.user) -> int:
        """Add those of an import who are not known yet, without a key; answers how many were added."""

        def work(connection: Connection) -> int:
            statement = insert_into(connection.dialect.name, UserRow).on_conflict_do_nothing(index_elements=["id"])
            no_key = {"api_key_prefix": "", "api_key_hash": ""}
            added = [p for p in people if connection.execute(statement, _row(p, at) | no_key).rowcount]
            if added:
                append_leaves(connection, [_leaf(person, {}, at, by) for person in added])
            return len(added)

        return await self._database.write(work)

    async def issue_key(self, person_id: str, at: str, by: str = OPERATOR.user) -> str:
        """Give a user a new API key; the old one ends at once. Raises NoSuchPerson."""
        key, fields = _new_key()

        def work(connection: Connection) -> None:
            _change(connection, person_id, fields)
            body = {"id": person_id, "api_key_prefix": fields["api_key_prefix"], "by": by, "at": at}
            append_leaves(connection, [leaf_of_body("api_key", person_id, body, at)])

        await self._database.write(work)
        return key

    async def change(self, person: Person, at: str, by: str = OPERATOR.user) -> None:
        """Change name, roles, department or whether the user is active. Raises NoSuchPerson."""
        changes = {name: value for name, value in _row(person, at).items() if name not in ("id", "created_at")}

        def work(connection: Connection) -> None:
            _change(connection, person.id, changes)
            append_leaves(connection, [_leaf(person, {}, at, by)])

        await self._database.write(work)

    async def authenticate(self, key: str) -> Person | None:
        """The active user whose key this is. Takes as long for a wrong key as for an unknown one."""
        prefix = _prefix_of(key)
        rows = await self._database.rows(select(_USERS).where(_USERS.c.api_key_prefix == prefix)) if prefix else []
        given = _hash(key)
        found = None
        for row in rows:
            if hmac.compare_digest(given, row["api_key_hash"]) and row["active"]:
                found = _person(row)
        hmac.compare_digest(given, _NOBODY)
        return found

    async def get(self, person_id: str) -> Person | None:
        """One user."""
        row = await self._database.row(select(_USERS).where(_USERS.c.id == person_id))
        return _person(row) if row else None

    async def page(self, department: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Users by id, with their key's prefix, never its hash."""
        query = select(*_SHOWN).where(*([_USERS.c.department == department] if department else []))
        return await look_page(self._database, query, [_USERS.c.id], cursor, limit)


def _new_key() -> tuple[str, dict[str, str]]:
    prefix = f"dw_{secrets.token_hex(4)}"
    key = f"{prefix}_{secrets.token_hex(24)}"
    return key, {"api_key_prefix": prefix, "api_key_hash": _hash(key)}


def _prefix_of(key: str) -> str:
    product, _, rest = key.partition("_")
    prefix, separator, _ = rest.partition("_")
    return f"dw_{prefix}" if product == "dw" and separator and prefix.isalnum() and len(prefix) <= 32 else ""


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _row(person: Person, at: str) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "roles": list(person.roles),
        "department": person.department,
        "active": person.active,
        "created_at": at,
    }


def _leaf(person: Person, fields: dict[str, str], at: str, by: str) -> Leaf:
    """What the audit log keeps of a user: rights and key prefix, never the name; and who gave them."""
    body = {name: value for name, value in _row(person, at).items() if name not in ("name", "created_at")}
    body |= {"api_key_prefix": fields.get("api_key_prefix", ""), "by": by, "at": at}
    return leaf_of_body("user", person.id, body, at)


def _change(connection: Connection, person_id: str, changes: dict[str, Any]) -> None:
    if not connection.execute(update(_USERS).where(_USERS.c.id == person_id).values(changes)).rowcount:
        raise NoSuchPerson(person_id)


def _person(row: Row) -> Person:
    return Person(row["id"], row["name"], tuple(row["roles"]), row["department"], row["active"], row["api_key_prefix"])
