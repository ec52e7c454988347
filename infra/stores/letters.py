"""Reads what letters were written to customers."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, select

from infra.db import Database, table_of
from models.tables.papers import LetterRow

_LETTERS = table_of(LetterRow)
_AT_ONCE = 500


class LetterStore:
    """Letters, counted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def kinds(self, deals: Sequence[str]) -> dict[str, Counter[str]]:
        """How many letters of each kind these deals have written; deals without any are left out."""
        found: dict[str, Counter[str]] = {}
        columns = _LETTERS.c
        async with self._database.read() as connection:
            for first in range(0, len(deals), _AT_ONCE):
                query = select(columns.deal_id, columns.kind, func.count()).group_by(columns.deal_id, columns.kind)
                some = columns.deal_id.in_(deals[first : first + _AT_ONCE])
                for deal_id, kind, count in await connection.execute(query.where(some)):
                    found.setdefault(deal_id, Counter())[kind] = count
        return found
