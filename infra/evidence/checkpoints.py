"""Signed checkpoints of the audit log: made over the leaves themselves, never over tiles, and never contradicted."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, RowMapping, Select, select
from structlog import get_logger

from infra.db import Database, insert_into, table_of
from infra.evidence.heads import LastHead, LogContradicted, proven
from infra.evidence.keys import AuditKeys, KeyTrouble, Signer, public_keys
from infra.evidence.notes import PublicKey
from infra.evidence.tree import AuditTree, LogDamaged, log_size, read_leaves
from infra.settings import Settings
from infra.stores.alerts import Alert, AlertStore
from infra.stores.pages import Page, look_page
from models.checkpoint import Head, note
from models.merkle import GrowingTree
from models.tables.evidence import CheckpointDeliveryRow, CheckpointRow

ALERT = "audit_log_contradicted"
DROP, WEBHOOK = "drop", "webhook"
_CHECKPOINTS = table_of(CheckpointRow)
_LAST = select(_CHECKPOINTS).order_by(_CHECKPOINTS.c.size.desc(), _CHECKPOINTS.c.id.desc()).limit(1)
_BATCH = 8_192

log = get_logger()


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed head of the log: `note` is its text (C2SP signed note), `number` counts checkpoints. `is_new` is False
    for one that stood already."""

    number: int
    size: int
    root: str
    at: str
    key_hash: str
    note: str
    is_new: bool = field(default=False, compare=False)


class Checkpoints:
    """The checkpoints of one installation's log. `targets` name where each is to be handed (infra.evidence.deliveries).

    Any number of processes may sign at once.
    """

    def __init__(self, database: Database, folder: Path, origin: str, targets: Iterable[str] = ()) -> None:
        self._database, self._origin, self._targets = database, origin, tuple(targets)
        self.tree, self.keys = AuditTree(database), AuditKeys(database, folder, origin)
        self._last_head = LastHead(folder)

    @classmethod
    def of(cls, settings: Settings, database: Database) -> "Checkpoints":
        """Those of an installation."""
        wanted = ((DROP, settings.checkpoint_drop), (WEBHOOK, settings.checkpoint_webhook))
        targets = (name for name, place in wanted if place is not None)
        return cls(database, settings.keys_dir, settings.log_origin, targets)

    async def sign(self, at: str) -> Signed:
        """Sign the log as it stands; what stands already when nothing was added and the key is the same.

        Reads every leaf, about a second for half a million of them. Raises LogContradicted, after an alert, when the
        log is not what was signed before, and KeyTrouble.
        """
        signed = None
        while signed is None:  # again only when the key was retired meanwhile
            signer = await self.keys.active(at)
            try:
                signed = await self._signed(signer, at)
            except LogContradicted as found:
                await AlertStore(self._database).ring(Alert(ALERT, self._origin, str(found)), at)
                raise
        await self.tree.fill()
        return signed

    async def rotate(self, by: str, at: str) -> tuple[PublicKey, Signed]:
        """Let a new key follow the one that signs, and sign with both. Answers the new one.

        A key whose private half is lost can be retired as well: then the new one signs alone. Raises as `sign` does.
        """
        try:
            await self.sign(at)  # what the log is until now, under the key that goes
        except KeyTrouble as trouble:
            log.warning("audit_key_retired_unheard", reason=str(trouble))
        retired, new = await self.keys.rotate(by, at)
        log.info("audit_key_rotated", retired=retired.key_hash, key_hash=new.key_hash)
        return new, await self.sign(at)

    async def latest(self) -> Signed | None:
        """The checkpoint over the most leaves; None when none was signed."""
        rows = await self._database.rows(_LAST)
        return signed_of(rows[0]) if rows else None

    async def covering(self, sequence: int) -> Signed | None:
        """The latest checkpoint when it covers a leaf, by its number from 1; else None."""
        last = await self.latest()
        return last if last is not None and last.size >= sequence else None

    async def all(self) -> list[Signed]:
        """All checkpoints, the oldest first."""
        return [signed_of(row) for row in await self._database.rows(select(_CHECKPOINTS).order_by(_CHECKPOINTS.c.id))]

    async def get(self, number: int) -> Signed | None:
        """One checkpoint by its number."""
        row = await self._database.row(select(_CHECKPOINTS).where(_CHECKPOINTS.c.id == number))
        return signed_of(row) if row else None

    async def page(self, cursor: str = "", limit: int = 50) -> Page:
        """Checkpoints, the newest first. Raises BadCursor."""
        query: Select[tuple[object, ...]] = select(_CHECKPOINTS)
        return await look_page(self._database, query, [_CHECKPOINTS.c.id], cursor, limit, newest_first=True)

    async def public_keys(self) -> list[PublicKey]:
        """All keys that sign or signed, the oldest first."""
        return await self.keys.all()

    async def _signed(self, signer: Signer, at: str) -> Signed | None:
        """The checkpoint; None when the key was retired before it could be kept."""
        # first the file, then the log, which has grown since at most
        kept = await asyncio.to_thread(self._last_head.read)
        row, keys, size = await self._database.look(_stands)
        stood = [proven(row["note"], keys, "the database")] if row else []
        if kept:
            stood.append(proven(kept, keys, "the folder of keys"))
        root = await self._root(size, stood)
        if row and (row["size"], row["key_hash"]) == (size, signer.public.key_hash):
            return signed_of(row)
        predecessor = await self.keys.retired(row["key_hash"]) if row else None
        head = Head(self._origin, size, root, at)
        text = note(head, tuple(one.line(head) for one in (signer, predecessor) if one is not None))
        # the file first: what was signed is known here even if the database forgets it
        await asyncio.to_thread(self._last_head.keep, text, size)
        new = {"size": size, "root": root, "at": at, "key_hash": signer.public.key_hash, "note": text}
        stands, is_new = await self._database.write(partial(_keep, new=new, targets=self._targets))
        if stands is None:
            return None
        if stands["root"] != root:
            raise LogContradicted(f"another process has just signed another log of {size} leaves")
        if predecessor is not None:
            self.keys.destroy(predecessor.public.key_hash)
        return signed_of(stands, is_new=is_new)

    async def _root(self, size: int, stood: list[Head]) -> str:
        """The root of the log, from its leaves alone, that goes on from every head that was signed before."""
        for head in stood:
            if head.origin != self._origin:
                raise LogContradicted(f"a log {head.origin!r} was signed here before")
            if head.size > size:
                raise LogContradicted(f"{head.size} leaves were signed at {head.at}, and {size} are left")
        sizes = sorted({size, *(head.size for head in stood)})
        tree, roots = GrowingTree(), dict[int, str]()
        try:
            for until in sizes:
                while tree.size < until:
                    await self._database.look(partial(_grow, tree=tree, until=min(until, tree.size + _BATCH)))
                roots[until] = tree.root()
        except LogDamaged as damage:
            raise LogContradicted(str(damage)) from None
        for head in stood:
            if roots[head.size] != head.root:
                raise LogContradicted(f"the first {head.size} leaves are not those that were signed at {head.at}")
        return roots[size]


def signed_of(row: RowMapping | dict[str, object], *, is_new: bool = False) -> Signed:
    """A checkpoint from its row."""
    plain = dict(row)
    return Signed(number=plain.pop("id"), is_new=is_new, **plain)


def _stands(connection: Connection) -> tuple[RowMapping | None, list[PublicKey], int]:
    row = connection.execute(_LAST).mappings().one_or_none()
    return row, public_keys(connection), log_size(connection)


def _grow(connection: Connection, tree: GrowingTree, until: int) -> None:
    grown = read_leaves(connection, tree.size, until)
    for leaf in grown:
        tree.append(leaf.hex())


def _keep(connection: Connection, new: dict[str, object], targets: tuple[str, ...]) -> tuple[RowMapping | None, bool]:
    """Keep a checkpoint, to be handed to the targets; another process may have signed the same a moment before.
    None when its key has been retired."""
    if not any(key.key_hash == new["key_hash"] and not key.retired_at for key in public_keys(connection)):
        return None, False
    added = insert_into(connection.dialect.name, CheckpointRow).on_conflict_do_nothing()
    is_new = bool(connection.execute(added, new).rowcount)
    same = _CHECKPOINTS.select().where(_CHECKPOINTS.c.size == new["size"], _CHECKPOINTS.c.key_hash == new["key_hash"])
    row = connection.execute(same).mappings().one()
    if is_new and targets:
        asked = insert_into(connection.dialect.name, CheckpointDeliveryRow).on_conflict_do_nothing()
        plain = {"checkpoint_id": row["id"], "attempts": 0, "problem": "", "delivered_at": ""}
        connection.execute(asked, [plain | {"target": target} for target in targets])
    return row, is_new
