"""Bundles for tests: an installation with a few deals to export, and a forge that alters bundles as a forger would."""

import asyncio
import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from infra.db import Database, open_database
from infra.desk.callers import OPERATOR, Caller
from infra.desk.exporting import Asked
from infra.desk.service import DealDesk
from infra.evidence.bundle_format import statement
from infra.evidence.checkpoints import Checkpoints
from infra.settings import load_settings
from infra.stores.people import Person
from infra.stores.recorder import DatabaseRecorder
from infra.stores.refusals import Refusal
from models.checkpoint import Head, SignatureLine, key_hash, note
from models.merkle import audit_leaf, consistency_path, inclusion_path, range_root
from models.messages.records import ArchiveInput, Projection, RecordInput
from models.projection import CHILDREN, project
from models.tables.papers import DocumentRow, LetterRow
from models.timeline import GENESIS, Entry, digest, entry_hash
from tests.journeys import BEGINNING, furnish
from tests.models.world import World, paid, qualified
from verify_bundle import Report

NOW = "2026-03-01T08:00:00Z"
HISTORY = b"what the engine kept of the first run" * 50
AUDITOR = Caller("u-auditor", ("auditor",))

Plain = dict[str, Any]


def renamed(world: World, deal_id: str, customer: str = "c-1") -> tuple[list[Entry], Projection]:
    """The deal of a world under another id: a world knows only one."""
    entries, previous = [], GENESIS
    for entry in world.entries:
        moved = replace(entry, deal_id=deal_id, previous_hash=previous)
        entries.append(replace(moved, hash=entry_hash(moved)))
        previous = entries[-1].hash
    shown = project(world.deal, world.policy)
    rows = {
        name: tuple(_moved(row, deal_id) for row in getattr(shown, name)) if name in CHILDREN else getattr(shown, name)
        for name in shown.__dataclass_fields__
    }
    return entries, Projection(**rows | {"deal": shown.deal | {"id": deal_id, "customer_id": customer}})


def _moved(row: Plain, deal_id: str) -> Plain:
    return {name: deal_id if value == "D-1" else value for name, value in row.items()}


async def record(desk: DealDesk, world: World, deal_id: str, customer: str = "c-1") -> list[Entry]:
    """Write a world's deal into the books, with the files of its documents and letters."""
    entries, projection = renamed(world, deal_id, customer)
    await DatabaseRecorder(desk.books.database).record(RecordInput(deal_id, tuple(entries), projection, CHILDREN))
    for entry in entries:
        for event in entry.events:
            if event["tag"] == "paper_filed":
                await _file(desk, entry, event)
    return entries


async def _file(desk: DealDesk, entry: Entry, event: Plain) -> None:
    effect = entry.payload["effect"]
    content = rfc8785.dumps([effect])  # what a world's printer hashes
    assert hashlib.sha256(content).hexdigest() == event["digest"]
    is_letter = event["kind"] not in ("offer", "contract")
    folder = desk.settings.outbox_dir if is_letter else desk.settings.documents_dir
    name = f"{entry.deal_id}-{effect}.txt"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    row = {"effect_key": f"{entry.deal_id}:{effect}", "deal_id": entry.deal_id, "kind": event["kind"], "name": name}
    row |= {"digest": event["digest"], "at": entry.at}
    async with desk.books.database.begin() as connection:
        if is_letter:
            await connection.execute(insert(LetterRow), row | {"customer_id": "c-1", "language": "en"})
        else:
            await connection.execute(insert(DocumentRow), row | {"version": 1})


async def installation(database: Database, folder: Path) -> DealDesk:
    """Deals B-1 (paid, of c-1) and B-2 (qualified, of c-2), refused acts on B-1 and on none, and the users behind."""
    await furnish(database)
    desk = DealDesk(database, None, load_settings(data_dir=folder), lambda: NOW)
    await desk.books.policies.active(BEGINNING)
    for role in ("account_manager", "auditor", "logistics_manager"):
        await desk.books.people.create(Person(f"u-{role}", f"The {role}", (role,), "north"), BEGINNING)
    await record(desk, qualified(World()), "B-2", "c-2")
    await desk.books.refusals.record(Refusal("B-1", NOW, "u-legal", "ship", "wrong_role", {"why": "roles"}, "k-1"))
    await desk.books.refusals.record(Refusal("", NOW, "u-legal", "open", "malformed", {"fields": {"a": "b"}}, "k-2"))
    await record(desk, paid(World()), "B-1")
    await desk.books.archive.save(ArchiveInput("B-1", "deal-B-1", "run-1"), HISTORY, 2, NOW)
    return desk


async def exported(desk: DealDesk, asked: Asked, caller: Caller = OPERATOR) -> bytes:
    """A bundle's bytes."""
    target = io.BytesIO()
    await desk.exporting.export(caller, asked, target)
    return target.getvalue()


@dataclass(frozen=True)
class Samples:
    """Bundles of one installation, and what an auditor may hold beside them: checkpoints from before the deals'
    last acts, of the bundle's moment and from later, a proof to the later one, and the public key."""

    one: bytes
    whole: bytes
    early: str
    same: str
    later: str
    proof: Plain
    key: str


def samples(folder: Path, database_file: Path) -> Samples:
    """Make them, on SQLite: what is in a bundle does not depend on the database."""

    async def make() -> Samples:
        database = open_database(f"sqlite+aiosqlite:///{database_file}", synchronous="NORMAL")
        try:
            return await _make(database)
        finally:
            await database.close()

    async def _make(database: Database) -> Samples:
        desk = await installation(database, folder)
        checkpoints = Checkpoints.of(desk.settings, database)
        early = await checkpoints.sign(NOW)
        await record(desk, qualified(World()), "B-3", "c-1")
        one = await exported(desk, Asked(deals=["B-1"], against=[early.size]))
        same = await checkpoints.latest()
        assert same
        whole = await exported(desk, Asked(everything=True))
        await record(desk, qualified(World()), "B-4", "c-1")
        later = await checkpoints.sign(NOW)
        hashes = await checkpoints.tree.consistency(same.size, later.size)
        proof = {"from": same.size, "to": later.size, "hashes": hashes}
        key = (await checkpoints.public_keys())[0].public_key
        return Samples(one, whole, early.note, same.note, later.note, proof, key)

    return asyncio.run(make())


@dataclass
class Forge:
    """A bundle taken apart. `stale` leaves the manifest as it was; otherwise its digests are made right again, but
    only who has the key can sign it."""

    members: dict[str, bytes]
    signer: Ed25519PrivateKey | None = None
    origin: str = field(default="dealwright.local/audit-log")

    @classmethod
    def open(cls, bundle: bytes) -> "Forge":
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            return cls({name: archive.read(name) for name in archive.namelist()})

    @property
    def manifest(self) -> Plain:
        told: Plain = json.loads(self.members["manifest.json"])
        return told

    def lines(self, name: str) -> list[Plain]:
        return [json.loads(line) for line in self.members[name].splitlines()]

    def put(self, name: str, values: list[Plain]) -> None:
        self.members[name] = b"".join(rfc8785.dumps(value) + b"\n" for value in values)

    def timeline(self, change: Callable[[list[Plain]], object], deal: str = "B-1") -> None:
        """Change the entries of a deal."""
        name = f"deals/{deal}/timeline.jsonl"
        entries = self.lines(name)
        change(entries)
        self.put(name, entries)

    def leaves(self, change: Callable[[list[Plain]], object], deal: str = "B-1") -> None:
        """Change the leaves of a deal."""
        name = f"deals/{deal}/leaves.jsonl"
        leaves = self.lines(name)
        change(leaves)
        self.put(name, leaves)

    def renew(self, **changes: Any) -> None:
        """Let the manifest name what is there now."""
        told = self.manifest
        for deal in told["deals"]:
            entries = self.lines(f"{deal['folder']}/timeline.jsonl")
            deal |= {"entries": len(entries), "head": entries[-1]["hash"]}
        names = sorted(set(self.members) - {"manifest.json", "manifest.note"})
        told["members"] = {
            name: {"sha256": hashlib.sha256(self.members[name]).hexdigest(), "size": len(self.members[name])}
            for name in names
        }
        self.members["manifest.json"] = rfc8785.dumps(told | changes)
        if self.signer:
            text = statement(self.origin, hashlib.sha256(self.members["manifest.json"]).hexdigest())
            self.members["manifest.note"] = f"{text}\n{self._line(text.encode()).text()}".encode()

    def rewrite_log(self, chain: Callable[[list[Plain]], list[Plain]] | None = None) -> None:
        """Make chains (or what `chain` makes of them), leaves, proofs and the checkpoint of a complete bundle right
        again, under a key of our own."""
        self.signer = Ed25519PrivateKey.generate()
        hashes: dict[str, str] = {}
        for deal in self.manifest["deals"]:
            name = f"{deal['folder']}/timeline.jsonl"
            entries = (chain or rehashed)(self.lines(name))
            self.put(name, entries)
            hashes |= {f"{deal['id']}/{entry['sequence']}": entry["hash"] for entry in entries}
            refusals = f"{deal['folder']}/refusals.jsonl"
            for refusal in self.lines(refusals) if refusals in self.members else []:
                number = str(refusal.pop("id"))
                hashes[number] = digest(refusal)
        names = [name for name in self.members if name.endswith("leaves.jsonl")]
        leaves = {name: self.lines(name) for name in names}
        ordered = sorted((leaf for some in leaves.values() for leaf in some), key=lambda leaf: leaf["sequence"])
        for leaf in ordered:
            leaf["body_hash"] = hashes.get(leaf["ref"], leaf["body_hash"])
            again = (leaf[name] for name in ("kind", "ref", "body_hash", "at", "logged_at"))
            leaf["leaf_hash"] = audit_leaf(*again)
        complete = subtrees([leaf["leaf_hash"] for leaf in ordered])
        for index, leaf in enumerate(ordered):
            leaf["path"] = [one.hex() for one in inclusion_path(index, len(ordered), complete)]
        for name, some in leaves.items():
            self.put(name, some)
        self._sign_again(len(ordered), complete)

    def _sign_again(self, size: int, complete: Callable[[int, int], bytes]) -> None:
        assert self.signer
        told, proofs, sizes = self.manifest, list[Any](), list[int]()
        for name in sorted(name for name in self.members if name.startswith("checkpoints/")):
            old = int(self.members[name].split(b"\n")[1])
            head = Head(self.origin, old, range_root(0, old, complete).hex(), NOW)
            self.members[name] = note(head, (self._line(head.text().encode()),)).encode()
            sizes.append(old)
        for old, new in pairwise(sizes):
            path = [one.hex() for one in consistency_path(old, new, complete)]
            proofs.append({"from": old, "to": new, "hashes": path})
        self.members["consistency.json"] = rfc8785.dumps(proofs)
        self.members["keys.json"] = rfc8785.dumps(
            [{"name": self.origin, "key_hash": self._hash, "public_key": base64.b64encode(self._raw).decode()}]
        )
        used = told["checkpoint"] | {"size": size, "root": range_root(0, size, complete).hex()}
        self.renew(checkpoint=used)

    @property
    def _raw(self) -> bytes:
        assert self.signer
        return self.signer.public_key().public_bytes_raw()

    @property
    def _hash(self) -> str:
        return key_hash(self.origin, self._raw)

    def _line(self, text: bytes) -> SignatureLine:
        assert self.signer
        return SignatureLine(self.origin, self._hash, self.signer.sign(text))

    def bytes(self, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
        """The bundle put together again."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", compression) as archive:
            for name, content in self.members.items():
                archive.writestr(zipfile.ZipInfo(name), content, compression)
        return target.getvalue()


def rehashed(entries: list[Plain]) -> list[Plain]:
    """Entries whose numbers, links and hashes are right again."""
    previous = GENESIS
    for number, entry in enumerate(entries, 1):
        entry |= {"sequence": number, "previous_hash": previous}
        entry["hash"] = digest({name: value for name, value in entry.items() if name != "hash"})
        previous = entry["hash"]
    return entries


def hashed_only(entries: list[Plain]) -> list[Plain]:
    """Entries whose hashes are right again, and whose numbers and links are as they were."""
    for entry in entries:
        entry["hash"] = digest({name: value for name, value in entry.items() if name != "hash"})
    return entries


def subtrees(leaves: list[str]) -> Callable[[int, int], bytes]:
    """Roots of complete subtrees, computed from the leaves each time."""
    raw = [bytes.fromhex(leaf) for leaf in leaves]

    def complete(level: int, number: int) -> bytes:
        if not level:
            return raw[number]
        joined = b"\x01" + complete(level - 1, 2 * number) + complete(level - 1, 2 * number + 1)
        return hashlib.sha256(joined).digest()

    return complete


def another_note(entries: list[Plain]) -> None:
    """Change what entry 7 was asked for."""
    entries[6]["payload"] = entries[6]["payload"] | {"note": "another"}


def first(report: Report) -> tuple[str, int]:
    """The first bad deal and sequence of a report."""
    assert report.first_bad, "nothing was found"
    return report.first_bad["deal"], report.first_bad["sequence"]
