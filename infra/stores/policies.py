"""Versions of the business numbers. A version never changes once it stands: deals have pinned it."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from infra.db import Database, insert_into, table_of
from infra.stores.audit_log import Leaf, append_leaves
from infra.stores.pages import Row
from models.tables.masters import PolicyRow
from models.timeline import digest

_POLICIES = table_of(PolicyRow)


class PolicyStands(ValueError):
    """This version stands already with other numbers; give the new ones a version of their own."""


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of the numbers, valid for deals that start at `active_from` or later."""

    version: str
    body: dict[str, Any]
    active_from: str
    note: str = ""


class PolicyStore:
    """Policies by version."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, policy: PolicyVersion, at: str) -> None:
        """Add a version; nothing happens when the same stands. Raises PolicyStands when another does."""
        await self._database.write(partial(_add, policy=policy, at=at))

    async def get(self, version: str) -> PolicyVersion | None:
        """One version."""
        row = await self._database.row(select(_POLICIES).where(_POLICIES.c.version == version))
        return PolicyVersion(**row) if row else None

    async def active(self, at: str) -> PolicyVersion | None:
        """The version that a deal which starts at this instant pins."""
        query = select(_POLICIES).where(_POLICIES.c.active_from <= at)
        query = query.order_by(_POLICIES.c.active_from.desc(), _POLICIES.c.version.desc()).limit(1)
        row = await self._database.row(query)
        return PolicyVersion(**row) if row else None

    async def all(self) -> list[Row]:
        """All versions, the newest first."""
        query = select(_POLICIES).order_by(_POLICIES.c.active_from.desc(), _POLICIES.c.version.desc())
        return await self._database.rows(query)


def policy_hash(row: Any) -> str:
    """The hash that the audit log attests, of a row of the table."""
    return digest({name: row[name] for name in PolicyVersion.__slots__})


def _add(connection: Connection, policy: PolicyVersion, at: str) -> None:
    row = {name: getattr(policy, name) for name in PolicyVersion.__slots__}
    added = insert_into(connection.dialect.name, PolicyRow).on_conflict_do_nothing()
    if connection.execute(added, row).rowcount:
        append_leaves(connection, [Leaf("policy", policy.version, policy_hash(row), at)])
        return
    standing = connection.execute(select(_POLICIES).where(_POLICIES.c.version == policy.version)).mappings().one()
    if policy_hash(standing) != policy_hash(row):
        raise PolicyStands(f"policy {policy.version} stands already with other numbers")
