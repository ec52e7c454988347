"""Policies on their way: drafted, changed, approved, withdrawn or activated, each step with its leaf in one
transaction and only from the state that its caller had seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, update

from infra.db import Database, insert_into, table_of
from infra.stores.audit_log import Leaf, append_leaves
from infra.stores.pages import Page, look_page
from infra.stores.policies import PolicyVersion, policy_hash
from models.tables.control import DeputyRow, PolicyDraftRow
from models.tables.masters import PolicyRow

_DRAFTS, _POLICIES, _DEPUTIES = table_of(PolicyDraftRow), table_of(PolicyRow), table_of(DeputyRow)

DRAFT, APPROVED, ACTIVE, WITHDRAWN = "draft", "approved", "active", "withdrawn"
STATES = (DRAFT, APPROVED, ACTIVE, WITHDRAWN)


class InstantTaken(ValueError):
    """Another version becomes active at this very instant."""


class VersionStands(ValueError):
    """A policy or a draft has this version already."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One policy on its way, as its row holds it. `edited_by` are all who changed the body."""

    version: str
    based_on: str
    body: dict[str, Any]
    body_hash: str
    state: str
    note: str
    drafted_by: str
    edited_by: list[str]
    edited_at: str
    approved_by: str = ""
    approved_at: str = ""
    approved_hash: str = ""
    active_from: str = ""


class PolicyDraftStore:
    """Drafts by version."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, version: str) -> Draft | None:
        """One draft, whatever its state."""
        row = await self._database.row(select(_DRAFTS).where(_DRAFTS.c.version == version))
        return Draft(**row) if row else None

    async def page(self, state: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Drafts by version, of one state when given. Raises BadCursor."""
        query = select(_DRAFTS).where(*([_DRAFTS.c.state == state] if state else []))
        return await look_page(self._database, query, [_DRAFTS.c.version], cursor, limit)

    async def add(self, draft: Draft, leaf: Leaf) -> None:
        """Keep a new draft. Raises VersionStands."""
        await self._database.write(partial(_add, draft=draft, leaf=leaf))

    async def change(self, seen: Draft, changed: Draft, leaf: Leaf) -> bool:
        """Change a draft; False, and nothing is written, when it is no longer as it was seen."""
        return await self._database.write(partial(_change, seen=seen, changed=changed, leaf=leaf))

    async def activate(self, seen: Draft, active_from: str, leaf: Leaf) -> bool:
        """Make an approved draft a version that new deals pin from an instant on; False when it is no longer as seen.

        Raises InstantTaken or VersionStands.
        """
        return await self._database.write(partial(_activate, seen=seen, active_from=active_from, leaf=leaf))

    async def absent_behind(self, deputy: str, at: str) -> frozenset[str]:
        """For whom somebody stands in at an instant."""
        query = select(_DEPUTIES.c.absent).where(
            _DEPUTIES.c.deputy == deputy,
            _DEPUTIES.c.from_at <= at,
            _DEPUTIES.c.until_at > at,
            _DEPUTIES.c.ended_at == "",
        )
        return frozenset(row["absent"] for row in await self._database.rows(query))


def _row(draft: Draft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in Draft.__slots__}


def _add(connection: Connection, draft: Draft, leaf: Leaf) -> None:
    added = insert_into(connection.dialect.name, PolicyDraftRow).on_conflict_do_nothing()
    if not connection.execute(added, _row(draft)).rowcount:
        raise VersionStands(draft.version)
    append_leaves(connection, [leaf])
    if connection.execute(select(_POLICIES.c.version).where(_POLICIES.c.version == draft.version)).first():
        raise VersionStands(draft.version)


def _change(connection: Connection, seen: Draft, changed: Draft, leaf: Leaf) -> bool:
    if not _moved(connection, seen, changed):
        return False
    append_leaves(connection, [leaf])
    return True


def _moved(connection: Connection, seen: Draft, changed: Draft) -> bool:
    """Two who change a draft at once saw the same state and the same numbers: the second finds another."""
    same = (
        _DRAFTS.c.version == seen.version,
        _DRAFTS.c.state == seen.state,
        _DRAFTS.c.body_hash == seen.body_hash,
        _DRAFTS.c.approved_by == seen.approved_by,
        _DRAFTS.c.edited_at == seen.edited_at,
    )
    return bool(connection.execute(update(_DRAFTS).where(*same).values(_row(changed))).rowcount)


def _activate(connection: Connection, seen: Draft, active_from: str, leaf: Leaf) -> bool:
    if not _moved(connection, seen, replace(seen, state=ACTIVE, active_from=active_from)):
        return False
    policy = PolicyVersion(seen.version, seen.body, active_from, seen.note)
    row = {name: getattr(policy, name) for name in PolicyVersion.__slots__}
    # writers queue here, so that of two versions for one instant the second finds the first
    append_leaves(connection, [leaf, Leaf("policy", policy.version, policy_hash(row), leaf.at)])
    _refuse_taken(connection, active_from)
    added = insert_into(connection.dialect.name, PolicyRow).on_conflict_do_nothing()
    if not connection.execute(added, row).rowcount:
        raise VersionStands(seen.version)
    return True


def _refuse_taken(connection: Connection, active_from: str) -> None:
    """Two versions from one instant on would leave open which of them is law."""
    at_once: Sequence[Any] = connection.execute(
        select(_POLICIES.c.version).where(_POLICIES.c.active_from == active_from)
    ).all()
    if at_once:
        raise InstantTaken(f"version {at_once[0].version} becomes active at {active_from} already")
