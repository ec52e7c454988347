"""What must agree with the leaves when the whole log is verified: signed checkpoints, their keys, and tiles."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, func, select

from infra.db import table_of
from infra.evidence.keys import LEAF, public_keys
from infra.evidence.notes import PublicKey, signers
from infra.evidence.tree import BLOCK, LOWEST, levels_of
from models.checkpoint import NotACheckpoint
from models.merkle import GrowingTree, node_hash
from models.tables.evidence import AuditTileRow, CheckpointRow

_CHECKPOINTS, _TILES = table_of(CheckpointRow), table_of(AuditTileRow)
_MOST_TOLD = 5

Found = tuple[str, str]
"""What is wrong: where, and why."""


@dataclass(slots=True)
class Witnesses:
    """Hears every leaf in its order, and says at the end what contradicts them."""

    keys: list[PublicKey]
    checkpoints: dict[int, list[RowMapping]]
    _followers: set[str] = field(default_factory=set)
    _denied: list[RowMapping] = field(default_factory=list)
    _tiles: "_Tiles" = field(default_factory=lambda: _Tiles())

    @classmethod
    def of(cls, connection: Connection) -> "Witnesses":
        """Those of a database."""
        found: dict[int, list[RowMapping]] = {}
        for row in connection.execute(_CHECKPOINTS.select().order_by(_CHECKPOINTS.c.id)).mappings():
            found.setdefault(row["size"], []).append(row)
        return cls(public_keys(connection), found, _denied=[row for row in found.get(0, []) if _denies(row, 0)])

    def hear(self, kind: str, ref: str, leaf: str, tree: GrowingTree) -> None:
        """Take in a leaf hash (hex) that `tree` has just taken in, and what it is about."""
        self._tiles.append(bytes.fromhex(leaf))
        if kind == LEAF:
            self._followers.add(ref)
        if tree.size in self.checkpoints:
            root = tree.root()
            self._denied += [row for row in self.checkpoints[tree.size] if row["root"] != root]

    def compare_tiles(self, connection: Connection) -> None:
        """Compare the tiles over the leaves since the last time."""
        self._tiles.compare(connection)

    def found(self, connection: Connection, size: int) -> Iterator[Found]:
        """All that is wrong with what follows from the leaves, when the log ends at `size`."""
        beyond = [row for at, rows in self.checkpoints.items() if at > size for row in rows]
        if denied := sorted((*self._denied, *beyond), key=lambda row: (row["size"], row["id"])):
            more = f", and so are {len(denied) - 1} later ones" if len(denied) > 1 else ""
            first = denied[0]
            why = f"over {first['size']} leaves is contradicted by the log as it stands now{more}"
            yield f"checkpoint {first['id']}", why
        # the first key stands in no leaf: whoever was given it trusts it from then on
        for key in self.keys[1:]:
            if key.key_hash not in self._followers:
                yield f"audit key {key.key_hash}", "follows another key, and no leaf says so"
        yield from self._tiles.found(connection, size)

    def wrong_notes(self) -> Iterator[Found]:
        """All that is wrong with the checkpoints themselves. Long work when there are thousands, for a thread."""
        for row in (row for rows in self.checkpoints.values() for row in rows):
            try:
                head, by = signers(row["note"], self.keys)
            except NotACheckpoint as wrong:
                yield f"checkpoint {row['id']}", str(wrong)
                continue
            if row["key_hash"] not in [key.key_hash for key in by]:
                yield f"checkpoint {row['id']}", "is not signed by the key that it names"
            elif (head.size, head.root, head.at) != (row["size"], row["root"], row["at"]):
                yield f"checkpoint {row['id']}", "its signed note says something else"


def _denies(row: RowMapping, size: int) -> bool:
    tree = GrowingTree()
    return bool(row["size"] == size and row["root"] != tree.root())


@dataclass(slots=True)
class _Tiles:
    """The tiles as the leaves give them."""

    _leaves: list[bytes] = field(default_factory=list)
    _lefts: dict[int, bytes] = field(default_factory=dict)
    _blocks: int = 0
    _computed: dict[tuple[int, int], str] = field(default_factory=dict)
    _wrong: list[tuple[int, int]] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        self._leaves.append(leaf)
        if len(self._leaves) == BLOCK:
            self._add(levels_of(self._leaves, LOWEST)[LOWEST][0])
            self._leaves.clear()

    def _add(self, joined: bytes) -> None:
        level, number = LOWEST, self._blocks
        self._computed[level, number] = joined.hex()
        while number & 1:
            joined = node_hash(self._lefts.pop(level), joined)
            level, number = level + 1, number >> 1
            self._computed[level, number] = joined.hex()
        self._lefts[level] = joined
        self._blocks += 1

    def compare(self, connection: Connection) -> None:
        by_level: dict[int, list[int]] = {}
        for level, number in self._computed:
            by_level.setdefault(level, []).append(number)
        for level, numbers in by_level.items():
            here = (_TILES.c.level == level, _TILES.c.number.between(min(numbers), max(numbers)))
            for number, stands in connection.execute(select(_TILES.c.number, _TILES.c.hash).where(*here)):
                if self._computed.get((level, number), stands) != stands:
                    self._wrong.append((level, number))
        self._computed.clear()

    def found(self, connection: Connection, size: int) -> Iterator[Found]:
        advice = "`dealwright audit retile` computes it again"
        for level, number in self._wrong[:_MOST_TOLD]:
            yield f"tile {level}/{number}", f"is not what its leaves give; {advice}"
        if more := len(self._wrong[_MOST_TOLD:]):
            yield "tiles", f"{more} others are not what their leaves give"
        blocks = size >> LOWEST
        beyond = select(func.count()).select_from(_TILES).where(_TILES.c.level == LOWEST, _TILES.c.number >= blocks)
        if count := connection.execute(beyond).scalar_one():
            yield "tiles", f"{count} are over leaves that are not there; {advice}"
