"""The audit log page by page, and its root: what an auditor takes away to compare later."""

from dataclasses import dataclass

from sqlalchemy import select

from infra.db import Database, table_of
from infra.evidence.tree import AuditTree
from infra.stores.pages import Page, read_page
from models.tables.records import AuditLeafRow

_LEAVES = table_of(AuditLeafRow)


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
        proof = await AuditTree(self._database).head()
        return Checkpoint(proof.size, proof.root)
