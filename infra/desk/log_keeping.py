"""The audit log over API and command line: checkpoints, proofs and keys, for those who may read or keep it."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from infra.db import table_of
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Conflict, Invalid, NoSuch
from infra.desk.payloads import bad_text
from infra.evidence.checkpoints import Checkpoints, Signed
from infra.evidence.deliveries import deliveries_of
from infra.evidence.heads import LogContradicted
from infra.evidence.keys import KeyTrouble
from infra.evidence.notes import PublicKey
from infra.evidence.tree import NoSuchTree, Proof
from infra.stores.pages import Page, Row
from models.lifecycle.roles import Role
from models.tables.records import AuditLeafRow

READERS = frozenset({Role.AUDITOR, Role.ADMIN})
KEEPERS = frozenset({Role.ADMIN})

Plain = dict[str, Any]

_LEAVES = table_of(AuditLeafRow)


class LogKeeping:
    """Auditors and admins read, prove and have checkpoints signed, which changes nothing; admins rotate the key."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._database, self._clock = books.database, clock
        self._checkpoints = Checkpoints.of(books.settings, books.database)

    async def sign(self, me: Caller) -> Plain:
        """Sign the log as it stands; what stands when nothing was added. Raises Conflict when it may not be signed."""
        me.require("signing a checkpoint", READERS)
        try:
            return checkpoint_of(await self._checkpoints.sign(self._clock()))
        except (LogContradicted, KeyTrouble) as trouble:
            raise _no(trouble) from None

    async def page(self, me: Caller, cursor: str, limit: int) -> Page:
        """Checkpoints with where they were handed, the newest first. Raises BadCursor."""
        me.require("reading checkpoints", READERS)
        page = await self._checkpoints.page(cursor, limit)
        return Page([checkpoint_of(signed) for signed in await self._with_deliveries(page.rows)], page.next_cursor)

    async def checkpoint(self, me: Caller, number: int) -> Plain:
        """One checkpoint; 0 is the latest. Raises NoSuch."""
        me.require("reading checkpoints", READERS)
        found = await (self._checkpoints.get(number) if number else self._checkpoints.latest())
        if found is None:
            raise NoSuch("checkpoint", str(number or "yet"))
        (row,) = await self._with_deliveries([{**checkpoint_of(found), "id": found.number}])
        return checkpoint_of(row)

    async def covering(self, me: Caller, sequence: int) -> Plain | None:
        """The latest checkpoint when it covers a leaf."""
        me.require("reading checkpoints", READERS)
        found = await self._checkpoints.covering(sequence)
        return checkpoint_of(found) if found else None

    async def number_of(self, me: Caller, leaf: str) -> int:
        """The number of a leaf by itself, or by the timeline entry that it attests (`deal/entry`). Raises NoSuch."""
        me.require("proving leaves", READERS)
        if leaf.isascii() and leaf.isdecimal() and len(leaf) < 16:
            return int(leaf)
        query = select(_LEAVES.c.sequence).where(_LEAVES.c.kind == "act", _LEAVES.c.ref == leaf)
        rows = [] if bad_text(leaf) else await self._database.rows(query)
        if not rows:
            raise NoSuch("leaf", leaf)
        return int(rows[0]["sequence"])

    async def inclusion(self, me: Caller, sequence: int, size: int = 0) -> Plain:
        """The proof that a leaf is in the log of `size` leaves; 0: as it stands. Raises Invalid, and LogDamaged."""
        me.require("proving leaves", READERS)
        try:
            proof = await self._checkpoints.tree.prove_inclusion(sequence, size or None)
        except NoSuchTree as wrong:
            raise Invalid({"sequence": str(wrong)}) from None
        return {"sequence": sequence, "leaf_hash": proof.leaf, **_proof(proof)}

    async def consistency(self, me: Caller, old: int, size: int = 0) -> Plain:
        """The proof that the log of `size` leaves (0: as it stands) begins with that of `old`. Raises Invalid."""
        me.require("proving consistency", READERS)
        try:
            earlier = await self._checkpoints.tree.root(old)
            proof = await self._checkpoints.tree.prove_consistency(old, size or None)
        except NoSuchTree as wrong:
            raise Invalid({"from": str(wrong)}) from None
        return {"from": old, "from_root": earlier, **_proof(proof)}

    async def keys(self, me: Caller) -> list[Plain]:
        """All keys that sign or signed, the oldest first."""
        me.require("reading the keys of the audit log", READERS)
        return [key_of(key) for key in await self._checkpoints.public_keys()]

    async def rotate(self, me: Caller) -> Plain:
        """Retire the key and sign with it and its successor. Raises Conflict."""
        me.require("rotating the key of the audit log", KEEPERS)
        try:
            key, signed = await self._checkpoints.rotate(me.user, self._clock())
        except (LogContradicted, KeyTrouble) as trouble:
            raise _no(trouble) from None
        return {"key": key_of(key), "checkpoint": checkpoint_of(signed)}

    async def _with_deliveries(self, rows: list[Row]) -> list[Row]:
        numbers = [row["id"] for row in rows]
        by_number: dict[int, list[Plain]] = {number: [] for number in numbers}
        for one in await self._database.look(lambda connection: deliveries_of(connection, numbers)):
            told = {name: one[name] for name in ("target", "attempts", "problem", "delivered_at")}
            by_number[one["checkpoint_id"]].append(told)
        return [{**row, "number": row["id"], "deliveries": by_number[row["id"]]} for row in rows]


def checkpoint_of(found: Signed | Row) -> Plain:
    """A checkpoint as it is told."""
    plain = asdict(found) if isinstance(found, Signed) else found
    names = ("number", "size", "root", "at", "key_hash", "note")
    new = {"is_new": plain.get("is_new", False), "deliveries": plain.get("deliveries", [])}
    return {name: plain[name] for name in names} | new


def key_of(key: PublicKey) -> Plain:
    """A public key as it is told."""
    return asdict(key) | {"verifier": key.verifier}


def _proof(proof: Proof) -> Plain:
    return {"size": proof.size, "root": proof.root, "hashes": proof.hashes, "bytes": 32 * len(proof.hashes)}


def _no(trouble: Exception) -> Conflict:
    code = "audit_key_missing" if isinstance(trouble, KeyTrouble) else "audit_log_contradicted"
    return Conflict(code, str(trouble))
