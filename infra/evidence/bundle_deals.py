"""One deal as it goes into a bundle: its entries and refused acts up to a checkpoint, their leaves, its papers."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from infra.db import Database, table_of
from infra.evidence.bundle_format import named_papers
from infra.evidence.bundle_leaves import BundleLeaves, Hashes
from infra.settings import Settings
from infra.stores.refusals import refusal_hash
from infra.stores.timeline import entry_of
from models.tables.papers import DocumentRow, LetterRow
from models.tables.projection import DealRow
from models.tables.records import RefusalRow, TimelineRow
from models.timeline import Entry

_DEALS, _TIMELINE, _REFUSALS = table_of(DealRow), table_of(TimelineRow), table_of(RefusalRow)
_DOCUMENTS, _LETTERS = table_of(DocumentRow), table_of(LetterRow)

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DealRecords:
    """What stands about a deal. `customer_ids` are its customer and the customer's group; `is_open` is False when its
    workflow has ended."""

    deal_id: str
    entries: list[Entry]
    refusals: list[Plain]
    leaves: list[Plain]
    customer_ids: tuple[str, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """A document or letter that an entry names. `content` is None when it can't be had, and `why` says so."""

    kind: str
    name: str
    digest: str
    content: bytes | None
    why: str = ""


class BundleDeals:
    """Reads deals for a bundle."""

    def __init__(self, database: Database, settings: Settings, leaves: BundleLeaves) -> None:
        self._database, self._settings, self._leaves = database, settings, leaves

    async def records(self, deal_id: str) -> DealRecords | None:
        """The deal up to the checkpoint; None when it began later."""
        row, entries, refusals, leaves = await self._database.look(partial(self._read, deal_id=deal_id))
        attested = {leaf["ref"] for leaf in leaves}
        last = max((entry.sequence for entry in entries if _ref(entry) in attested), default=0)
        entries = [entry for entry in entries if entry.sequence <= last]
        refusals = [refusal for refusal in refusals if str(refusal["id"]) in attested]
        if not leaves or not entries:
            return None
        hashes: Hashes = {("act", _ref(entry)): entry.hash for entry in entries}
        hashes |= {("refusal", str(refusal["id"])): refusal_hash(refusal) for refusal in refusals}
        told = await self._leaves.told(leaves, hashes)
        around = (row["customer_id"], row["group_id"]) if row else ()
        return DealRecords(
            deal_id, entries, refusals, told, tuple(filter(None, around)), bool(row and not row["closed_at"])
        )

    async def papers(self, records: DealRecords) -> list[Paper]:
        """The documents and letters that the deal's entries name, letters with the text beside them."""
        named = dict.fromkeys(digest for entry in records.entries for digest in named_papers(entry))
        known = await self._database.look(partial(self._filed, deal_id=records.deal_id))
        twins = [known[digest][3] for digest in named if digest in known and known[digest][3] in known]
        return [await self._paper(digest, known) for digest in dict.fromkeys([*named, *twins])]

    async def _paper(self, digest: str, known: dict[str, tuple[str, str, Path, str]]) -> Paper:
        if digest not in known:
            return Paper("paper", "", digest, None, "the books know no file of it")
        kind, name, path, _ = known[digest]
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as problem:
            return Paper(kind, name, digest, None, f"its file can't be read: {problem.strerror}")
        if hashlib.sha256(content).hexdigest() != digest:
            return Paper(kind, name, digest, None, "its file is not what was filed")
        return Paper(kind, name, digest, content)

    def _read(
        self, connection: Connection, deal_id: str
    ) -> tuple[RowMapping | None, list[Entry], list[Plain], list[RowMapping]]:
        columns = (_DEALS.c.customer_id, _DEALS.c.group_id, _DEALS.c.closed_at)
        row = connection.execute(select(*columns).where(_DEALS.c.id == deal_id)).mappings().one_or_none()
        of_deal = select(_TIMELINE).where(_TIMELINE.c.deal_id == deal_id).order_by(_TIMELINE.c.sequence)
        entries = [entry_of(found) for found in connection.execute(of_deal).mappings()]
        refused = select(_REFUSALS).where(_REFUSALS.c.deal_id == deal_id).order_by(_REFUSALS.c.id)
        refusals = [dict(found) for found in connection.execute(refused).mappings()]
        # one more than there are: an entry that was cut off the end has still its leaf
        acts = [*map(_ref, entries), f"{deal_id}/{entries[-1].sequence + 1 if entries else 1}"]
        numbers = [str(refusal["id"]) for refusal in refusals]
        leaves = [*self._of(connection, "act", acts), *self._of(connection, "refusal", numbers)]
        return row, entries, refusals, leaves

    def _of(self, connection: Connection, kind: str, refs: Sequence[str]) -> list[RowMapping]:
        return self._leaves.referring(connection, (kind,), refs)

    def _filed(self, connection: Connection, deal_id: str) -> dict[str, tuple[str, str, Path, str]]:
        """Digest to kind, name, file, and the digest of the text beside a letter."""
        found: dict[str, tuple[str, str, Path, str]] = {}
        for row in connection.execute(select(_DOCUMENTS).where(_DOCUMENTS.c.deal_id == deal_id)).mappings():
            found[row["digest"]] = row["kind"], row["name"], self._settings.documents_dir / row["name"], ""
        for row in connection.execute(select(_LETTERS).where(_LETTERS.c.deal_id == deal_id)).mappings():
            pdf = self._settings.outbox_dir / row["name"]
            found[row["digest"]] = row["kind"], row["name"], pdf, row["text_digest"]
            if row["text_digest"]:
                text = pdf.with_suffix(".txt")
                found.setdefault(row["text_digest"], (row["kind"], text.name, text, ""))
        return found


def _ref(entry: Entry) -> str:
    return f"{entry.deal_id}/{entry.sequence}"
