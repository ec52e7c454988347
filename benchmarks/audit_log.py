"""The audit log as it grows to a million leaves: appending beside the bare insert of the same rows, and proofs."""

import asyncio
import hashlib
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, insert, update
from sqlalchemy.sql import quoted_name

from benchmarks.figures import Figure, Target, of_spread
from benchmarks.measure import ratios, spread
from infra.db import Database, open_database, table_of
from infra.evidence.checkpoints import Checkpoints
from infra.evidence.tree import AuditTree
from infra.migrate import upgrade
from infra.stores.audit_log import Leaf, append_leaves
from models.tables.records import AuditHeadRow, AuditLeafRow

_AT = "2026-01-05T08:00:00Z"
_LEAVES, _HEAD = table_of(AuditLeafRow), table_of(AuditHeadRow)
_BULK = 50_000
_WITHIN, _MILLISECONDS, _BYTES = Target("at most", 1.10), Target("at most", 10), Target("at most", 640)
_WHY = (
    "a leaf is hashed twice, and the row that hands out its number is one more page to write; both are the same at "
    "any size, and weigh less the more else a transaction writes"
)
_BULK_NOTE = "nothing appends so many at once; without a commit for each, what remains is the hashing"


@dataclass(frozen=True, slots=True)
class Lengths:
    """Sizes of the log at which appending is measured (the last is that of the proofs), batches and acts in each."""

    sizes: Sequence[int]
    batches: int
    acts: int
    proofs: int


MILLION = Lengths((0, 10_000, 100_000, 1_000_000), 24, 20, 300)
"""What the figures in docs/audit-log.md are about."""


class Log:
    """An audit log, and beside it a table with the same rows that nobody numbers, hashes or proves."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.bare = _LEAVES.to_metadata(MetaData(), name="bare_leaves")
        for index in self.bare.indexes:  # whose names are one for the whole database
            index.name = quoted_name(f"bare_{index.name}", None)
        self._size = self._rows = 0

    async def prepare(self) -> None:
        """Make the other table."""
        await self.database.write(lambda connection: self.bare.create(connection))

    async def grow(self, size: int) -> None:
        """Fill both up to a size, quickly; they never shrink."""
        size = max(size, self._size, self._rows)
        for table, stands in ((_LEAVES, self._size), (self.bare, self._rows)):
            for start in range(stands, size, _BULK):
                await self.database.write(partial(_fill, table=table, first=start + 1, last=min(size, start + _BULK)))
        await self.database.write(partial(_set_head, size=size))
        self._size = self._rows = size

    async def append(self, leaves: int) -> None:
        """What the product does where a move is recorded: the entry has its hash already."""
        first = self._size + 1
        self._size += leaves

        def work(connection: Connection) -> None:
            append_leaves(connection, [Leaf("act", f"D-{n}/1", _hash(n), _AT) for n in range(first, first + leaves)])

        await self.database.write(work)

    async def insert(self, leaves: int) -> None:
        """The floor: the same rows, ready made."""
        first = self._rows + 1
        self._rows += leaves
        await self.database.write(partial(_fill, table=self.bare, first=first, last=self._rows))


def _fill(connection: Connection, table: Table, first: int, last: int) -> None:
    connection.execute(insert(table), [_row(number) for number in range(first, last + 1)])


def _row(number: int) -> dict[str, Any]:
    plain = {"kind": "act", "ref": f"D-{number}/1", "at": _AT, "form": 2, "logged_at": _AT}
    return plain | {"sequence": number, "leaf_hash": _hash(number), "body": None}


def _hash(number: int) -> str:
    return hashlib.sha256(number.to_bytes(8, "big")).hexdigest()


def _set_head(connection: Connection, size: int) -> None:
    if not connection.execute(update(_HEAD).values(last_sequence=size)).rowcount:
        connection.execute(insert(_HEAD), {"id": 1, "last_sequence": size})


async def audit_log(folder: Path, lengths: Lengths) -> list[Figure]:
    """All figures, on SQLite."""
    url = f"sqlite+aiosqlite:///{folder / 'audit.db'}"
    await asyncio.to_thread(upgrade, url)
    database = open_database(url)
    try:
        log, figures = Log(database), list[Figure]()
        await log.prepare()
        for size in lengths.sizes:
            await log.grow(size)
            figures += await _appending(log, size, lengths)
        return [*figures, *await _proving(database, folder, lengths)]
    finally:
        await database.close()


async def _appending(log: Log, size: int, lengths: Lengths) -> list[Figure]:
    figures = []
    for leaves, words, acts, note in (
        (1, "a leaf", lengths.acts, ""),
        (100, "100 leaves", max(1, lengths.acts // 4), _BULK_NOTE),
    ):
        ours, floor = list[float](), list[float]()
        for _ in range(lengths.batches):
            mine, bare = await _batch(log, leaves, acts)
            ours.append(mine)
            floor.append(bare)
        name = f"at {size:,}: {words} in a transaction"
        milliseconds = [1000 * one for one in ours]
        figures += [
            of_spread(name, spread(milliseconds), "ms"),
            of_spread(
                f"{name} / bare insert", ratios(ours, floor), "x", _WITHIN if leaves == 1 else None, why=_WHY, note=note
            ),
        ]
    return figures


async def _batch(log: Log, leaves: int, acts: int) -> tuple[float, float]:
    """Seconds of an append and of a bare insert: medians over some acts of both in turn, as other work on the machine
    comes and goes."""
    told: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * acts):
        began = time.perf_counter()
        await (log.insert if number % 2 else log.append)(leaves)
        told[number % 2].append(time.perf_counter() - began)
    return statistics.median(told[0]), statistics.median(told[1])


async def _proving(database: Database, folder: Path, lengths: Lengths) -> list[Figure]:
    tree, chance = AuditTree(database), random.Random(6962)
    size = await tree.size()
    began = time.perf_counter()
    await tree.fill()
    filled = time.perf_counter()
    signed = await Checkpoints(database, folder / "keys", "bench/log").sign(_AT)
    done = time.perf_counter()
    told, longest = dict[str, list[float]](), 0
    for _ in range(lengths.proofs):
        leaf = chance.randint(1, size)
        for name, ask in (("inclusion", tree.inclusion), ("consistency", tree.consistency)):
            start = time.perf_counter()
            path = await ask(leaf, size)
            told.setdefault(name, []).append(1000 * (time.perf_counter() - start))
            longest = max(longest, len(path) if name == "inclusion" else 0)
    assert signed.root == await tree.root(size)
    return [
        *(
            of_spread(f"{name} proof at {size:,} leaves", spread(found), "ms", _MILLISECONDS)
            for name, found in told.items()
        ),
        Figure(f"longest inclusion proof at {size:,} leaves", 32 * longest, "bytes", target=_BYTES),
        Figure("filling in all tiles, once", filled - began, "s"),
        Figure("signing a checkpoint (reads every leaf)", done - filled, "s"),
    ]
