"""The audit log page by page, and its root: what an auditor takes away to compare later."""

from dataclasses import dataclass

from sqlalchemy import select

from infra.db import Database, table_of
from infra.stores.pages import Page, read_page
from models.merkle import GrowingTree
from models.tables.records import AuditLeafRow

_LEAVES = table_of(AuditLeafRow)
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The RFC 6962 root over the first `size` leaves."""

    size: int
    root: str


class AuditReading:
    """Reads leaves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def leaves(self, kind: str = "", cursor: str = "", limit: int = 100) -> Page:
        """Leaves in their order. Raises BadCursor."""
        query = select(_LEAVES)
        query = query.where(_LEAVES.c.kind == kind) if kind else query
        async with self._database.read() as connection:
            return await read_page(connection, query, [_LEAVES.c.sequence], cursor, limit)

    async def checkpoint(self) -> Checkpoint:
        """Size and root of the log as it stands."""
        tree = GrowingTree()
        last = 0
        query = select(_LEAVES.c.sequence, _LEAVES.c.leaf_hash).order_by(_LEAVES.c.sequence).limit(_BATCH)
        async with self._database.read() as connection:
            while rows := (await connection.execute(query.where(_LEAVES.c.sequence > last))).all():
                for _, leaf in rows:
                    tree.append(leaf)
                last = rows[-1].sequence
        return Checkpoint(tree.size, tree.root())
