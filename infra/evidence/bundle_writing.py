"""Writes an auditor's bundle (docs/bundle.md): deal by deal, so that a whole period never stands in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, BinaryIO

import rfc8785
from sqlalchemy import Connection, RowMapping, select

from infra.db import Database, table_of
from infra.evidence import bundle_format as form
from infra.evidence.bundle_deals import BundleDeals, DealRecords
from infra.evidence.bundle_extent import Extent, deals_of
from infra.evidence.bundle_file import BundleFile
from infra.evidence.bundle_histories import BundleHistories
from infra.evidence.bundle_leaves import BundleLeaves, Grounds
from infra.evidence.checkpoints import Checkpoints, Signed
from infra.evidence.keys import Signer
from infra.settings import Settings
from models.checkpoint import SignatureLine
from models.tables.masters import PolicyRow
from models.tables.records import RefusalRow

_POLICIES, _REFUSALS = table_of(PolicyRow), table_of(RefusalRow)
MOST_CHECKPOINTS = 256
"""Checkpoints in a bundle: of more, every so-many-th and the newest are taken."""

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was written: the digest of the manifest, and what is in it. `missing` names what could not be had."""

    manifest: str
    deals: int
    entries: int
    leaves: int
    size: int
    root: str
    missing: tuple[Plain, ...]


@dataclass(slots=True)
class _Told:
    """What the manifest will tell."""

    deals: list[Plain] = field(default_factory=list)
    histories: list[Plain] = field(default_factory=list)
    documents: list[Plain] = field(default_factory=list)
    missing: list[Plain] = field(default_factory=list)
    entries: int = 0
    leaves: int = 0

    def lacks(self, what: str, deal: str, name: str, digest: str, why: str) -> None:
        self.missing.append({"what": what, "deal": deal, "name": name, "digest": digest, "why": why})


class BundleWriter:
    """Writes one bundle into `target`, which stays open. `progress` hears how many deals are done."""

    def __init__(
        self, database: Database, settings: Settings, checkpoints: Checkpoints, histories: BundleHistories
    ) -> None:
        self._database, self._settings = database, settings
        self._checkpoints, self._histories = checkpoints, histories

    async def write(
        self, target: BinaryIO, extent: Extent, by: str, at: str, progress: Callable[[int], None] = lambda done: None
    ) -> Bundle:
        """Sign the log as it stands and write everything up to there; nothing else is changed.

        Raises KeyTrouble and LogContradicted.
        """
        signed, signer = await self._signed(at)
        leaves = BundleLeaves(self._database, self._checkpoints.tree, signed.size)
        box, told, grounds = BundleFile(target), _Told(), Grounds()
        await self._add_checkpoints(box, signed, extent.against)
        grounds.keys = await self._add_keys(box)
        deals = BundleDeals(self._database, self._settings, leaves)
        async for deal_id in deals_of(self._database, extent):
            if (records := await deals.records(deal_id)) is not None:
                await self._add_deal(box, told, records, extent, deals)
                _note(grounds, records)
                progress(len(told.deals))
        await self._add_policies(box, told, grounds, extent)
        await self._add_other_leaves(box, told, leaves, grounds, extent)
        about = {"origin": self._settings.log_origin, "exported_at": at, "exported_by": by}
        digest = await self._finish(box, told, extent, signed, signer, about)
        return Bundle(digest, len(told.deals), told.entries, told.leaves, signed.size, signed.root, tuple(told.missing))

    async def _signed(self, at: str) -> tuple[Signed, Signer]:
        """A checkpoint over all that stands, and the key that signed it."""
        signed = await self._checkpoints.sign(at)
        signer = await self._checkpoints.keys.active(at)
        if signer.public.key_hash != signed.key_hash:
            # the key was rotated in this moment
            signed = await self._checkpoints.sign(at)
        return signed, signer

    async def _add_checkpoints(self, box: BundleFile, signed: Signed, against: tuple[int, ...]) -> None:
        known = [one for one in await self._checkpoints.all() if one.size <= signed.size]
        known.sort(key=lambda one: (one.size, one.number))
        kept = _thinned(known, signed.number, set(against))
        steps = {(older.size, newer.size) for older, newer in pairwise(kept)}
        steps |= {(size, signed.size) for size in against}
        tree, proofs = self._checkpoints.tree, list[Any]()
        for old, new in sorted(steps):
            if 0 < old < new:
                proofs.append({"from": old, "to": new, "hashes": await tree.consistency(old, new)})
        for one in kept:
            await asyncio.to_thread(box.add, form.checkpoint_name(one.number), one.note.encode())
        await asyncio.to_thread(box.add, form.CONSISTENCY, rfc8785.dumps(proofs))

    async def _add_keys(self, box: BundleFile) -> set[str]:
        keys = await self._checkpoints.public_keys()
        await asyncio.to_thread(box.add, form.KEYS, rfc8785.dumps([asdict(key) for key in keys]))
        return {key.key_hash for key in keys}

    async def _add_deal(
        self, box: BundleFile, told: _Told, records: DealRecords, extent: Extent, deals: BundleDeals
    ) -> None:
        deal_id, folder = records.deal_id, form.deal_folder(records.deal_id)
        await asyncio.to_thread(_write_records, box, folder, records)
        told.deals.append(
            {
                "id": deal_id,
                "folder": folder,
                "entries": records.entries[-1].sequence,
                "head": records.entries[-1].hash,
                "refusals": len(records.refusals),
                "leaves": len(records.leaves),
            }
        )
        told.entries += len(records.entries)
        told.leaves += len(records.leaves)
        for paper in await deals.papers(records):
            if paper.content is None:
                told.lacks("document", deal_id, paper.name, paper.digest, paper.why)
                continue
            told.documents.append({"deal": deal_id, "kind": paper.kind, "name": paper.name, "digest": paper.digest})
            if (name := f"documents/{paper.digest}") not in box:
                await asyncio.to_thread(box.add, name, paper.content)
        if extent.histories:
            await self._add_histories(box, told, records)

    async def _add_histories(self, box: BundleFile, told: _Told, records: DealRecords) -> None:
        deal_id = records.deal_id
        async for run in self._histories.of_deal(deal_id, is_open=records.is_open):
            if run.content is None:
                told.lacks("history", deal_id, f"{run.workflow}/{run.run}".rstrip("/"), "", run.why)
                continue
            member = form.history_name(run.workflow, run.run)
            await asyncio.to_thread(lambda name, kept: box.add(name, kept.packed()), member, run)
            about = {"deal": deal_id, "workflow": run.workflow, "run": run.run, "member": member, "open": run.is_open}
            told.histories.append(about | {"sha256": run.digest, "size": len(run.content)})

    async def _add_policies(self, box: BundleFile, told: _Told, grounds: Grounds, extent: Extent) -> None:
        rows = await self._database.rows(select(_POLICIES).order_by(_POLICIES.c.version))
        for row in rows:
            if extent.complete or row["version"] in grounds.policies:
                plain = {name: row[name] for name in ("version", "body", "active_from", "note")}
                name = f"policies/{form.one_name(row['version'])}.json"
                await asyncio.to_thread(box.add, name, rfc8785.dumps(plain))
        for version in sorted(grounds.policies - {row["version"] for row in rows}):
            told.lacks("policy", "", version, "", "there is none of this version in the books")

    async def _add_other_leaves(
        self, box: BundleFile, told: _Told, leaves: BundleLeaves, grounds: Grounds, extent: Extent
    ) -> None:
        exported = {deal["id"] for deal in told.deals}
        found = leaves.all_but(partial(_in_folder, exported)) if extent.complete else _grounds(leaves, grounds, extent)
        spare: list[str] = []
        with box.member(form.OTHER_LEAVES, huge=True) as member:
            async for some in found:
                own = await self._database.look(partial(_refused_on, exported, some))
                kept = [leaf for leaf in some if leaf["kind"] != "refusal" or leaf["ref"] not in own]
                spare += [leaf["ref"] for leaf in kept if leaf["kind"] == "refusal"]
                told.leaves += len(kept)
                await asyncio.to_thread(member.write, form.lines(kept))
        if spare:
            with box.member(form.OTHER_REFUSALS, huge=True) as member:
                for first in range(0, len(spare), 200):
                    rows = await self._database.look(partial(_refusals, numbers=spare[first : first + 200]))
                    await asyncio.to_thread(member.write, form.lines(rows))

    async def _finish(
        self, box: BundleFile, told: _Told, extent: Extent, signed: Signed, signer: Signer, about: Plain
    ) -> str:
        used = {"member": form.checkpoint_name(signed.number), "size": signed.size, "root": signed.root}
        manifest = about | {
            "format": form.FORMAT,
            "version": form.VERSION,
            "selection": extent.plain(),
            "complete": extent.complete,
            "checkpoint": used,
            "deals": told.deals,
            "histories": told.histories,
            "documents": told.documents,
            "missing": told.missing,
            "members": dict(box.members),
        }

        def write() -> str:
            digest = box.add(form.MANIFEST, rfc8785.dumps(manifest))
            text = form.statement(self._settings.log_origin, digest)
            public = signer.public
            line = SignatureLine(public.name, public.key_hash, signer.private.sign(text.encode()))
            box.add(form.SIGNATURE, f"{text}\n{line.text()}".encode())
            box.close()
            return digest

        return await asyncio.to_thread(write)


def _write_records(box: BundleFile, folder: str, records: DealRecords) -> None:
    box.add(f"{folder}/{form.TIMELINE}", form.lines([form.entry_plain(entry) for entry in records.entries]))
    box.add(f"{folder}/{form.LEAVES}", form.lines(records.leaves))
    if records.refusals:
        box.add(f"{folder}/{form.REFUSALS}", form.lines(records.refusals))


def _note(grounds: Grounds, records: DealRecords) -> None:
    grounds.deals.add(records.deal_id)
    grounds.customers.update(records.customer_ids)
    for entry in records.entries:
        grounds.of_entry(entry)


async def _grounds(leaves: BundleLeaves, grounds: Grounds, extent: Extent) -> AsyncIterator[list[Plain]]:
    async for some in leaves.of_grounds(grounds, reads=extent.reads):
        yield some


def _thinned(known: list[Signed], used: int, against: set[int]) -> list[Signed]:
    """Of many checkpoints the newest half and every so-many-th of the older ones, with those that must be there: the
    one used, those that a retired key signed together with its successor, and those that the auditor holds."""
    if len(known) <= MOST_CHECKPOINTS:
        return known
    newest = len(known) - MOST_CHECKPOINTS // 2
    step = -(-newest // (MOST_CHECKPOINTS // 2))
    return [
        one
        for place, one in enumerate(known)
        if place >= newest or place % step == 0 or one.number == used or one.size in against or _handed_over(one)
    ]


def _handed_over(signed: Signed) -> bool:
    return signed.note.count("\n\N{EM DASH} ") > 1


def _in_folder(exported: set[str], leaf: RowMapping) -> bool:
    """Whether a leaf stands in the folder of its deal already, as all acts do."""
    return leaf["kind"] == "act" and leaf["ref"].rpartition("/")[0] in exported


def _refused_on(exported: set[str], leaves: list[Plain], connection: Connection) -> set[str]:
    """Those refused acts among the leaves that stand in the folder of their deal."""
    numbers = [int(leaf["ref"]) for leaf in leaves if leaf["kind"] == "refusal" and leaf["ref"].isdecimal()]
    rows = connection.execute(select(_REFUSALS.c.id, _REFUSALS.c.deal_id).where(_REFUSALS.c.id.in_(numbers)))
    return {str(number) for number, deal_id in rows if deal_id in exported}


def _refusals(connection: Connection, numbers: list[str]) -> list[Plain]:
    query = select(_REFUSALS).where(_REFUSALS.c.id.in_([int(number) for number in numbers if number.isdecimal()]))
    return [dict(row) for row in connection.execute(query.order_by(_REFUSALS.c.id)).mappings()]
