"""Verifies the evidence: every timeline's chain, every leaf of the audit log against what it attests, and its root."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Integer, RowMapping, String, column, func, select, values
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import Database, table_of
from infra.evidence.witnesses import Witnesses
from infra.stores.audit_log import append_leaves, leaf_of_body
from infra.stores.policies import policy_hash
from infra.stores.refusals import refusal_hash
from infra.stores.timeline import timelines
from models.merkle import GrowingTree, audit_leaf
from models.tables.masters import PolicyRow
from models.tables.records import AuditHeadRow, AuditLeafRow, RefusalRow, TimelineRow
from models.timeline import Entry, digest, verify_chain

_LEAVES, _HEAD = table_of(AuditLeafRow), table_of(AuditHeadRow)
_TIMELINE, _REFUSALS, _POLICIES = table_of(TimelineRow), table_of(RefusalRow), table_of(PolicyRow)
_BATCH = 500
ELSEWHERE = ("act", "refusal", "policy")
"""Kinds of leaves about what stands in other tables; the others carry what they attest."""
_HASH, _NO_HASH = re.compile(r"[0-9a-f]{64}"), "0" * 64


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not what it should be: `where` names the deal, entry, refusal or leaf."""

    where: str
    why: str


@dataclass(slots=True)
class AuditReport:
    """What was verified and what was found. `root` is the RFC 6962 root over all leaves."""

    deals: int = 0
    entries: int = 0
    refusals: int = 0
    leaves: int = 0
    root: str = ""
    problems: list[Problem] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


class AuditStore:
    """The audit log of everything that was done, refused, imported and read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, kind: str, ref: str, body: dict[str, Any], at: str) -> int:
        """Attest something that no other table holds (an import, a read of a foreign deal); answers its number."""
        leaf = leaf_of_body(kind, ref, body, at)

        def work(connection: Connection) -> int:
            return append_leaves(connection, [leaf])

        return await self._database.write(work)

    async def verify(self, progress: Callable[[int], None] = lambda done: None) -> AuditReport:
        """Verify everything as it stood at one moment; `progress` hears how many entries and leaves are done."""
        report = AuditReport()
        async with self._database.read() as connection:
            async for deals in timelines(connection):
                report.deals += len(deals)
                report.entries += sum(map(len, deals))
                # in a thread: hashing is long work that must not stop the event loop
                report.problems += await asyncio.to_thread(_broken_chains, deals)
                progress(report.entries + report.leaves)
            await _verify_leaves(connection, report, progress)
            await _verify_complete(connection, report)
        return report


def _broken_chains(deals: list[list[Entry]]) -> list[Problem]:
    broken = [(entries[0].deal_id, verify_chain(entries)) for entries in deals]
    return [Problem(f"{deal_id}/{where.sequence}", where.why) for deal_id, where in broken if where]


async def _verify_leaves(connection: AsyncConnection, report: AuditReport, progress: Callable[[int], None]) -> None:
    tree, witnesses = GrowingTree(), await connection.run_sync(Witnesses.of)
    last = 0
    query = select(_LEAVES).order_by(_LEAVES.c.sequence).limit(_BATCH)
    while leaves := (await connection.execute(query.where(_LEAVES.c.sequence > last))).mappings().all():
        attested = await _attested(connection, leaves)
        for leaf in leaves:
            last += 1
            if leaf["sequence"] != last:
                report.problems.append(Problem(f"leaf {last}", "is missing from the audit log"))
                last = leaf["sequence"]
            if why := _wrong(leaf, _hash_of(leaf, attested)):
                report.problems.append(Problem(f"leaf {last} ({leaf['kind']} {leaf['ref']})", why))
            hashed = leaf["leaf_hash"] if _HASH.fullmatch(leaf["leaf_hash"]) else _NO_HASH  # told above
            tree.append(hashed)
            witnesses.hear(leaf["kind"], leaf["ref"], hashed, tree)
        await connection.run_sync(witnesses.compare_tiles)
        report.leaves = tree.size
        progress(report.entries + report.leaves)
    report.root = tree.root()
    told = await asyncio.to_thread(lambda: list(witnesses.wrong_notes()))
    told += await connection.run_sync(lambda found: list(witnesses.found(found, tree.size)))
    report.problems += [Problem(where, why) for where, why in told]
    head = (await connection.execute(select(_HEAD.c.last_sequence))).scalar_one_or_none() or 0
    if head != last:
        report.problems.append(Problem("audit log", f"ends at leaf {last}, but {head} were written"))


def _wrong(leaf: RowMapping, body_hash: str | None) -> str:
    if body_hash is None:
        return "attests something that does not exist"
    times = (leaf["at"], leaf["logged_at"]) if leaf["form"] > 1 else ()
    expected = audit_leaf(leaf["kind"], leaf["ref"], body_hash, *times)
    return "" if leaf["leaf_hash"] == expected else "does not attest what stands there now"


Hashes = dict[tuple[str, str], str]
"""(kind, ref) to the hash of what stands there now."""


async def _attested(connection: AsyncConnection, leaves: Sequence[RowMapping]) -> Hashes:
    readers: tuple[Callable[[AsyncConnection, list[str]], Awaitable[Hashes]], ...] = (_acts, _refusals, _policies)
    found: Hashes = {}
    for kind, read in zip(ELSEWHERE, readers, strict=True):
        if refs := [leaf["ref"] for leaf in leaves if leaf["kind"] == kind]:
            found |= await read(connection, refs)
    return found


def _hash_of(leaf: RowMapping, attested: Hashes) -> str | None:
    """What a leaf must attest: its own body, for many may be about one thing; or what stands elsewhere."""
    if leaf["kind"] not in ELSEWHERE and leaf["body"] is not None:
        return digest(leaf["body"])
    return attested.get((leaf["kind"], leaf["ref"]))


async def _acts(connection: AsyncConnection, refs: list[str]) -> Hashes:
    places = [(deal, int(number)) for deal, _, number in (ref.rpartition("/") for ref in refs) if number.isdecimal()]
    # joined, not `in`: for a list of pairs SQLite reads the whole table instead of its key
    asked = values(column("deal_id", String), column("sequence", Integer), name="asked").data(places).cte("asked")
    here = (_TIMELINE.c.deal_id == asked.c.deal_id) & (_TIMELINE.c.sequence == asked.c.sequence)
    # the chain was verified already: the stored hash is the entry's, or that is a problem of its own
    query = select(_TIMELINE.c.deal_id, _TIMELINE.c.sequence, _TIMELINE.c.hash).select_from(asked).join(_TIMELINE, here)
    if not places:
        return {}
    rows = await connection.execute(query)
    return {("act", f"{deal}/{sequence}"): hash_ for deal, sequence, hash_ in rows}


async def _refusals(connection: AsyncConnection, refs: list[str]) -> Hashes:
    numbers = [int(ref) for ref in refs if ref.isdecimal()]
    rows = await connection.execute(select(_REFUSALS).where(_REFUSALS.c.id.in_(numbers)))
    return {("refusal", str(row["id"])): refusal_hash(row) for row in rows.mappings()}


async def _policies(connection: AsyncConnection, refs: list[str]) -> Hashes:
    rows = await connection.execute(select(_POLICIES).where(_POLICIES.c.version.in_(refs)))
    return {("policy", row["version"]): policy_hash(row) for row in rows.mappings()}


async def _verify_complete(connection: AsyncConnection, report: AuditReport) -> None:
    """Every leaf was found to attest something; now everything must have its leaf, and only one."""
    query = select(_LEAVES.c.kind, _LEAVES.c.ref).where(_LEAVES.c.body.is_(None))
    twice = query.group_by(_LEAVES.c.kind, _LEAVES.c.ref).having(func.count() > 1)
    report.problems += [Problem(f"{kind} {ref}", "is attested twice") for kind, ref in await connection.execute(twice)]
    entry_ref = _TIMELINE.c.deal_id + "/" + func.cast(_TIMELINE.c.sequence, _LEAVES.c.ref.type)
    report.problems += await _unattested(connection, "act", entry_ref)
    report.problems += await _unattested(connection, "refusal", func.cast(_REFUSALS.c.id, _LEAVES.c.ref.type))
    report.refusals = (await connection.execute(select(func.count()).select_from(_REFUSALS))).scalar_one()


async def _unattested(connection: AsyncConnection, kind: str, ref: Any) -> Iterable[Problem]:
    attested = select(_LEAVES.c.ref).where(_LEAVES.c.kind == kind)
    rows = await connection.execute(select(ref).where(ref.not_in(attested)))
    return [Problem(f"{kind} {missing}", "has no leaf in the audit log") for missing in rows.scalars()]
