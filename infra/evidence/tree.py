"""The audit log's Merkle tree over the stored leaves: roots at any size, and proofs that read few rows.

Roots of complete subtrees from level 8 up are kept as tiles. Whoever needs a proof fills them in, never who appends.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, bindparam, delete, func, select

from infra.db import Database, insert_into, table_of
from models.merkle import EMPTY_ROOT, Complete, consistency_path, inclusion_path, node_hash, range_root
from models.tables.evidence import AuditTileRow
from models.tables.records import AuditHeadRow, AuditLeafRow

T = TypeVar("T")

LOWEST = 8
"""The level of the lowest tiles, 256 leaves each. What lies below is computed from leaves: two such blocks at most."""

BLOCK = 1 << LOWEST
_BATCH = 32
"""Blocks that are filled in at a time, so that neither a reader's thread nor the writer's turn is held for long."""

_LEAVES, _TILES = table_of(AuditLeafRow), table_of(AuditTileRow)
_SIZE = select(table_of(AuditHeadRow).c.last_sequence)
_FILLED = select(func.max(_TILES.c.number) + 1).where(_TILES.c.level == LOWEST)
_RANGE = (
    select(_LEAVES.c.leaf_hash)
    .where(_LEAVES.c.sequence.between(bindparam("first"), bindparam("last")))
    .order_by(_LEAVES.c.sequence)
)
_NODES = select(_TILES.c.number, _TILES.c.hash).where(
    _TILES.c.level == bindparam("level"), _TILES.c.number.in_(bindparam("numbers", expanding=True))
)

Node = tuple[int, int]
"""A complete subtree: its level above the leaves, and its number from the left, from 0."""


class NoSuchTree(ValueError):
    """The log has no such leaf, or never had this size."""


class LogDamaged(RuntimeError):
    """Leaves that were written are gone, or are none."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Hashes (hex) that prove something about the log at `size` leaves, under its `root`."""

    size: int
    root: str
    hashes: list[str]
    leaf: str = ""


class AuditTree:
    """The tree of one database's audit log. Several may work at once; each finds what the others filled in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def size(self) -> int:
        """How many leaves the log has."""
        return await self._database.look(log_size)

    async def root(self, size: int | None = None) -> str:
        """The root (hex) over the first `size` leaves, or over all. Raises NoSuchTree."""

        return (await self.head(size)).root

    async def head(self, size: int | None = None) -> Proof:
        """Size and root, of the log as it stands unless a size is given; it proves nothing. Raises NoSuchTree."""

        def ask(complete: Complete, leaves: int) -> str:
            return range_root(0, leaves, complete).hex() if leaves else EMPTY_ROOT

        root, leaves = await self._answer(ask, size)
        return Proof(leaves, root, [])

    async def inclusion(self, sequence: int, size: int | None = None) -> list[str]:
        """The audit path (RFC 6962, 2.1.1) of leaf `sequence`, from 1, in the tree of `size` leaves, or of all.
        Raises NoSuchTree."""
        return (await self.prove_inclusion(sequence, size)).hashes

    async def prove_inclusion(self, sequence: int, size: int | None = None) -> Proof:
        """The same, with the leaf's hash and the root under which it proves. Raises NoSuchTree."""

        def ask(complete: Complete, leaves: int) -> tuple[list[bytes], bytes, bytes]:
            if not 1 <= sequence <= leaves:
                raise NoSuchTree(f"a log of {leaves} leaves has no leaf {sequence}")
            path = inclusion_path(sequence - 1, leaves, complete)
            return path, complete(0, sequence - 1), range_root(0, leaves, complete)

        (path, leaf, root), leaves = await self._answer(ask, size)
        return Proof(leaves, root.hex(), [one.hex() for one in path], leaf.hex())

    async def inclusions(self, sequences: Sequence[int], size: int) -> list[list[str]]:
        """The audit paths of several leaves at once, which is cheaper than one after the other when they stand close
        together. Raises NoSuchTree."""

        def ask(complete: Complete, leaves: int) -> list[list[bytes]]:
            if not all(1 <= sequence <= leaves for sequence in sequences):
                raise NoSuchTree(f"a log of {leaves} leaves has not all of these")
            return [inclusion_path(sequence - 1, leaves, complete) for sequence in sequences]

        paths, _ = await self._answer(ask, size)
        return [[one.hex() for one in path] for path in paths]

    async def consistency(self, old: int, size: int | None = None) -> list[str]:
        """The proof (RFC 6962, 2.1.2) that the log of `size` leaves, or of all, begins with that of `old`.
        Raises NoSuchTree."""
        return (await self.prove_consistency(old, size)).hashes

    async def prove_consistency(self, old: int, size: int | None = None) -> Proof:
        """The same, with the later root. Raises NoSuchTree."""

        def ask(complete: Complete, leaves: int) -> tuple[list[bytes], bytes]:
            if not 1 <= old <= leaves:
                raise NoSuchTree(f"a log of {leaves} leaves has no earlier state of {old}")
            return consistency_path(old, leaves, complete), range_root(0, leaves, complete)

        (path, root), leaves = await self._answer(ask, size)
        return Proof(leaves, root.hex(), [one.hex() for one in path])

    async def fill(self, *, anew: bool = False) -> int:
        """Fill in the tiles that can be, and answer how many blocks of 256 leaves were; `anew` looks for missing ones
        from the first leaf on. Stopped at any point, or done twice at the same time, it does no harm."""
        began = start = 0 if anew else await self._database.look(_filled)
        while hashes := await self._database.look(partial(_blocks, start=start)):
            try:
                await self._database.write(partial(_keep, start=start, hashes=hashes))
            except _TilesMissing:
                return await self.fill(anew=True)
            start += len(hashes)
        return start - began

    async def retile(self) -> int:
        """Throw all tiles away and compute them again from the leaves; answers how many blocks there are."""
        await self._database.write(lambda connection: connection.execute(delete(_TILES)))
        return await self.fill(anew=True)

    async def _answer(self, ask: Callable[[Complete, int], T], size: int | None) -> tuple[T, int]:
        """What `ask` says about the tree. Tiles that are not there yet are filled in, then it is asked again."""
        for anew in (False, True):
            try:
                return await self._database.look(partial(_asked, ask=ask, size=size))
            except _TilesMissing:
                await self.fill(anew=anew)
        return await self._database.look(partial(_asked, ask=ask, size=size))


class _TilesMissing(Exception):
    """Tiles must be filled in first."""


def log_size(connection: Connection) -> int:
    """How many leaves were written."""
    return connection.execute(_SIZE).scalar_one_or_none() or 0


def _asked(connection: Connection, ask: Callable[[Complete, int], T], size: int | None) -> tuple[T, int]:
    """`ask` is called twice: first to see what it looks at, and with that at hand to answer."""
    stands = log_size(connection)
    leaves = stands if size is None else size
    if not 0 <= leaves <= stands:
        raise NoSuchTree(f"the log has {stands} leaves, not {leaves}")
    wanted: set[Node] = set()

    def note(level: int, number: int) -> bytes:
        wanted.add((level, number))
        return b""

    ask(note, leaves)
    tiles = _read_tiles(connection, wanted)
    blocks = {
        number >> (LOWEST - level): _Block(connection, number >> (LOWEST - level), stands)
        for level, number in wanted
        if level < LOWEST
    }

    def complete(level: int, number: int) -> bytes:
        if level < LOWEST:
            return blocks[number >> (LOWEST - level)].node(level, number)
        return tiles[level, number]

    return ask(complete, leaves), leaves


def _read_tiles(connection: Connection, wanted: Iterable[Node]) -> dict[Node, bytes]:
    by_level: dict[int, list[int]] = {}
    for level, number in wanted:
        if level >= LOWEST:
            by_level.setdefault(level, []).append(number)
    found: dict[Node, bytes] = {}
    for level, numbers in by_level.items():
        rows = connection.execute(_NODES, {"level": level, "numbers": numbers}).all()
        if len(rows) < len(numbers):
            raise _TilesMissing
        found |= {(level, number): bytes.fromhex(hash_) for number, hash_ in rows}
    return found


@dataclass(slots=True)
class _Block:
    """Up to 256 leaves of one lowest tile, and the complete subtrees in it."""

    connection: Connection
    number: int
    stands: int
    _levels: list[list[bytes]] = field(default_factory=list)

    def node(self, level: int, number: int) -> bytes:
        """The root of a complete subtree; `number` counts from the log's beginning."""
        if not self._levels:
            first = self.number << LOWEST
            self._levels = levels_of(read_leaves(self.connection, first, min(first + BLOCK, self.stands)), LOWEST - 1)
        return self._levels[level][number - (self.number << (LOWEST - level))]


def levels_of(leaves: list[bytes], highest: int) -> list[list[bytes]]:
    """The roots of all complete subtrees over leaf hashes, level by level up to `highest`."""
    levels = [leaves]
    while len(levels) <= highest:
        levels.append(_joined(levels[-1]))
    return levels


def _joined(below: Sequence[bytes]) -> list[bytes]:
    return [node_hash(left, right) for left, right in zip(below[::2], below[1::2], strict=False)]


def read_leaves(connection: Connection, start: int, end: int) -> list[bytes]:
    """The hashes of leaves start..end (half open, from 0). Raises LogDamaged unless all are there."""
    rows = connection.execute(_RANGE, {"first": start + 1, "last": end}).scalars().all()
    if len(rows) != end - start:
        raise LogDamaged(f"of leaves {start + 1} to {end} of the audit log {end - start - len(rows)} are missing")
    try:
        return [bytes.fromhex(one) for one in rows]
    except ValueError:
        raise LogDamaged(f"a leaf between {start + 1} and {end} has no hash any more") from None


def _filled(connection: Connection) -> int:
    """How many blocks have their tile."""
    return connection.execute(_FILLED).scalar_one_or_none() or 0


def _blocks(connection: Connection, start: int) -> list[bytes]:
    """The tiles of the next few complete blocks."""
    end = min(start + _BATCH, log_size(connection) >> LOWEST)
    if end <= start:
        return []
    leaves = read_leaves(connection, start << LOWEST, end << LOWEST)
    return levels_of(leaves, LOWEST)[LOWEST]


def _keep(connection: Connection, start: int, hashes: list[bytes]) -> None:
    """Keep tiles from block `start` on, with all those above them that are complete now."""
    rows, level = [], LOWEST
    while hashes:
        rows += [{"level": level, "number": start + place, "hash": one.hex()} for place, one in enumerate(hashes)]
        if start % 2:
            # its left neighbour was kept by whoever filled in the blocks before
            left = _read_tiles(connection, [(level, start - 1)])
            start, hashes = start - 1, [*left.values(), *hashes]
        level, start, hashes = level + 1, start // 2, _joined(hashes)
    connection.execute(insert_into(connection.dialect.name, AuditTileRow).on_conflict_do_nothing(), rows)
