"""How fast the stores grow: bytes in use, table by table, of the engine's file and of ours."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, Target
from benchmarks.rig import Rig

Bytes = Mapping[str, int]
_SHOWN = 14


@dataclass(frozen=True, slots=True)
class Stores:
    """Bytes by table (indexes included), of both files."""

    engine: Bytes
    ours: Bytes

    @property
    def total(self) -> int:
        """All bytes in use."""
        return sum(self.engine.values()) + sum(self.ours.values())


def stores(rig: Rig) -> Stores:
    """Bytes in use now, write-ahead logs moved into their files."""
    return Stores(table_bytes(rig.temporal_db), table_bytes(rig.settings.database_file))


def table_bytes(path: Path) -> Bytes:
    """Bytes of the pages of each table with its indexes, freed pages left out. Without dbstat, of the whole file."""
    connection = sqlite3.connect(path, timeout=15, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            rows = connection.execute(
                "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_schema m ON m.name = s.name "
                "WHERE s.aggregate = 1 GROUP BY m.tbl_name"
            )
            return dict(rows.fetchall())
        except sqlite3.OperationalError:
            pages, free, size = (
                connection.execute(f"PRAGMA {what}").fetchone()[0]
                for what in ("page_count", "freelist_count", "page_size")
            )
            return {path.name: (pages - free) * size}
    finally:
        connection.close()


def growth(before: Stores, after: Stores, moves: int, what: str, aim: float | None = None) -> list[Figure]:
    """Kilobytes per move that came between two looks, with the split by table."""
    engine, ours = _added(before.engine, after.engine, moves), _added(before.ours, after.ours, moves)
    split = sorted(
        [*((f"engine.{n}", b) for n, b in engine.items()), *((f"ours.{n}", b) for n, b in ours.items())],
        key=lambda item: -item[1],
    )
    shares = ", ".join(f"{name} {size:.0f}" for name, size in split[:_SHOWN] if size >= 1)
    total = (after.total - before.total) / moves / 1000
    target = Target("at most", aim) if aim else None
    return [
        Figure(f"store growth per move, {what}", total, "kB", target=target, note=f"bytes: {shares}", why=_WHY),
        Figure("  of it the engine's history and state", sum(engine.values()) / 1000, "kB"),
        Figure("  of it our timeline, projection and books", sum(ours.values()) / 1000, "kB"),
    ]


_WHY = "see docs/benchmarks.md, Store growth"


def _added(before: Bytes, after: Bytes, moves: int) -> dict[str, float]:
    return {name: (size - before.get(name, 0)) / moves for name, size in after.items()}
