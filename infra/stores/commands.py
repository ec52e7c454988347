"""The answers that commands were given, for ever: a key that comes back gets the same answer.

Commands on deals are stored by the recorder with the move; this store keeps those on other resources and finds both.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from infra.db import Database, insert_into, table_of
from models.tables.records import CommandRow

_COMMANDS = table_of(CommandRow)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a caller was told, and the fingerprint of the request that it answered."""

    scope: str
    key: str
    fingerprint: str
    body: Any
    sequence: int
    at: str


class CommandStore:
    """Answers under (scope, key); the scope is a deal's id, or a resource's name such as `customers`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, scope: str, key: str) -> StoredAnswer | None:
        """The answer that stands under a key."""
        query = select(_COMMANDS).where(_COMMANDS.c.scope == scope, _COMMANDS.c.key == key)
        row = await self._database.row(query)
        return StoredAnswer(**row) if row else None

    async def store(self, scope: str, key: str, fingerprint: str, body: Any, at: str) -> StoredAnswer:
        """Keep an answer; the one that stands afterwards is answered, which is the first for its key."""
        return await self._database.write(
            partial(keep_answer, answer=StoredAnswer(scope, key, fingerprint, body, sequence=0, at=at))
        )


def keep_answer(connection: Connection, answer: StoredAnswer) -> StoredAnswer:
    """Keep an answer inside of a transaction that does the work too."""
    row = {name: getattr(answer, name) for name in StoredAnswer.__slots__}
    kept = insert_into(connection.dialect.name, CommandRow).on_conflict_do_nothing(index_elements=["scope", "key"])
    if connection.execute(kept, row).rowcount:
        return answer
    query = select(_COMMANDS).where(_COMMANDS.c.scope == answer.scope, _COMMANDS.c.key == answer.key)
    return StoredAnswer(**connection.execute(query).mappings().one())
