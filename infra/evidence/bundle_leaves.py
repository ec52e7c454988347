"""Leaves of the audit log as they stand in a bundle: what each attests, and its path to the bundle's checkpoint."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, RowMapping, or_, select

from infra.db import Database, table_of
from infra.evidence.tree import AuditTree
from infra.stores.policies import policy_hash
from infra.stores.refusals import refusal_hash
from models.tables.control import DeputyRow
from models.tables.masters import PolicyRow
from models.tables.records import AuditLeafRow, RefusalRow, TimelineRow
from models.timeline import Entry, digest

_LEAVES, _TIMELINE, _REFUSALS = table_of(AuditLeafRow), table_of(TimelineRow), table_of(RefusalRow)
_POLICIES, _DEPUTIES = table_of(PolicyRow), table_of(DeputyRow)
_AT_ONCE = 200

Plain = dict[str, Any]
Hashes = dict[tuple[str, str], str]
"""(kind, ref) to the hash of what stands there."""


@dataclass(slots=True)
class Grounds:
    """What the exported acts rest on, by the names under which the log keeps leaves about it."""

    policies: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    deals: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)

    def of_entry(self, entry: Entry) -> None:
        """Note what one entry rests on."""
        self.policies.add(entry.policy_version)
        approvals = (entry.receipt or {}).get("approvals", ())
        deciders = (approval.get(name, "") for approval in approvals for name in ("requested_by", "decided_by"))
        self.people |= {one for one in (entry.actor, entry.on_behalf_of, *deciders) if one}

    def kinds(self, *, reads: bool) -> list[tuple[tuple[str, ...], set[str]]]:
        """Kinds of leaves with the names that they may refer to. No kind stands twice."""
        about_deals = ("deal_policy", "read", "decode") if reads else ("deal_policy",)
        return [
            (("policy", "policy_draft", "policy_approval", "policy_activation"), self.policies),
            (("user", "api_key"), self.people),
            (about_deals, self.deals),
            (("customer", "credit_limit"), self.customers),
            (("audit_key",), self.keys),
        ]


class BundleLeaves:
    """Leaves up to the size of one checkpoint."""

    def __init__(self, database: Database, tree: AuditTree, size: int) -> None:
        self._database, self._tree, self._size = database, tree, size

    async def of_grounds(self, grounds: Grounds, *, reads: bool) -> AsyncIterator[list[Plain]]:
        """The leaves about what the exported acts rest on, some at a time."""
        deputies = await self._database.look(partial(_deputies_of, people=grounds.people))
        for kinds, names in [*grounds.kinds(reads=reads), (("deputy",), deputies)]:
            ordered = sorted(names)
            for first in range(0, len(ordered), _AT_ONCE):
                some = ordered[first : first + _AT_ONCE]
                rows = await self._database.look(partial(self.referring, kinds=kinds, refs=some))
                yield await self.told(rows, await self._database.look(partial(_attested, leaves=rows)))

    async def all_but(self, left_out: Callable[[RowMapping], bool]) -> AsyncIterator[list[Plain]]:
        """Every leaf of the log, some at a time, without those that stand elsewhere in the bundle."""
        for first in range(1, self._size + 1, _AT_ONCE):
            found = await self._database.look(partial(self._range, first=first))
            rows = [row for row in found if not left_out(row)]
            if rows:
                yield await self.told(rows, await self._database.look(partial(_attested, leaves=rows)))

    def referring(self, connection: Connection, kinds: Sequence[str], refs: Sequence[str]) -> list[RowMapping]:
        """Rows of leaves of some kinds that refer to these names, the oldest first."""
        found: list[RowMapping] = []
        for first in range(0, len(refs), _AT_ONCE):
            query = select(_LEAVES).where(_LEAVES.c.ref.in_(refs[first : first + _AT_ONCE]))
            query = query.where(_LEAVES.c.kind.in_(kinds), _LEAVES.c.sequence <= self._size)
            found += connection.execute(query).mappings().all()
        return sorted(found, key=lambda row: row["sequence"])

    async def told(self, rows: Sequence[RowMapping], hashes: Hashes) -> list[Plain]:
        """Leaves as lines of the bundle. What a leaf attests may be gone: then it has no hash, and is told all the
        same."""
        paths: list[list[str]] = []
        for first in range(0, len(rows), _AT_ONCE):
            some = [row["sequence"] for row in rows[first : first + _AT_ONCE]]
            paths += await self._tree.inclusions(some, self._size)
        return [_line(row, hashes, path) for row, path in zip(rows, paths, strict=True)]

    def _range(self, connection: Connection, first: int) -> Sequence[RowMapping]:
        last = min(first + _AT_ONCE - 1, self._size)
        query = select(_LEAVES).where(_LEAVES.c.sequence.between(first, last)).order_by(_LEAVES.c.sequence)
        return connection.execute(query).mappings().all()


def _line(row: RowMapping, hashes: Hashes, path: list[str]) -> Plain:
    names = ("sequence", "kind", "ref", "at", "logged_at", "form", "leaf_hash")
    plain = {name: row[name] for name in names} | {"path": path}
    if row["body"] is not None:
        return plain | {"body": row["body"], "body_hash": digest(row["body"])}
    return plain | {"body_hash": hashes.get((row["kind"], row["ref"]), "")}


def _attested(connection: Connection, leaves: Iterable[RowMapping]) -> Hashes:
    """Hashes of what leaves without a body attest; entries are known to whoever writes them."""
    refs: dict[str, list[str]] = {"refusal": [], "policy": []}
    for leaf in leaves:
        if leaf["kind"] in refs:
            refs[leaf["kind"]].append(leaf["ref"])
    numbers = [int(ref) for ref in refs["refusal"] if ref.isdecimal()]
    refusals = connection.execute(select(_REFUSALS).where(_REFUSALS.c.id.in_(numbers))).mappings()
    policies = connection.execute(select(_POLICIES).where(_POLICIES.c.version.in_(refs["policy"]))).mappings()
    found: Hashes = {("refusal", str(row["id"])): refusal_hash(row) for row in refusals}
    return found | {("policy", row["version"]): policy_hash(row) for row in policies}


def _deputies_of(connection: Connection, people: set[str]) -> set[str]:
    """Numbers of the windows in which one of these people was absent or stood in."""
    found: set[str] = set()
    ordered = sorted(people)
    for first in range(0, len(ordered), _AT_ONCE):
        some = ordered[first : first + _AT_ONCE]
        query = select(_DEPUTIES.c.id).where(or_(_DEPUTIES.c.absent.in_(some), _DEPUTIES.c.deputy.in_(some)))
        found |= {str(number) for number in connection.execute(query).scalars()}
    return found
