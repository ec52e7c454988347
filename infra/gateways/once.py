"""One effect per key, for ever: work and answer are written together, and whoever comes again gets the answer."""

from collections.abc import Callable
from functools import cache
from types import NoneType
from typing import TypeVar, cast

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.sql.dml import ReturningInsert

from infra.db import Database, insert_into
from models.codec import decode, encode
from models.tables.effects import EffectRow

T = TypeVar("T")

KEY_LENGTH = 200
"""Longest effect key that the tables hold."""


class EffectKeyReused(ValueError):
    """An effect key came back with another kind of work than it was first used for."""


async def once(database: Database, effect_key: str, act: str, kind: type[T], work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction unless `effect_key` was done before; then answer as it did the first time.

    `kind` is the class of the answer, NoneType for none. Of two callers at the same moment the second waits for
    the first and gets its answer; work that raised leaves nothing behind and may be tried again.
    Raises EffectKeyReused when the key was used for another act.
    """
    checked_key(effect_key)

    def transaction(connection: Connection) -> T:
        claimed = connection.execute(_claim(connection.dialect.name), {"effect_key": effect_key, "act": act})
        # not by the count of rows, which drivers don't promise for an INSERT
        if claimed.first() is None:
            return _answer_of(connection, effect_key, act, kind)
        answer = work(connection)
        if answer is not None:
            connection.execute(_SETTLE, {"done_key": effect_key, "answer": encode(answer)})
        return answer

    return await database.write(transaction)


async def answered(database: Database, effect_key: str, act: str, kind: type[T]) -> T | None:
    """The stored answer to an effect that was done before; None when it was not."""
    checked_key(effect_key)
    async with database.read() as connection:
        row = (await connection.execute(_STORED, {"done_key": effect_key})).one_or_none()
    return None if row is None else _decoded(row.act, row.answer, effect_key, act, kind)


async def was_done(database: Database, effect_key: str) -> bool:
    """Whether the effect was done before, whatever its answer."""
    checked_key(effect_key)
    async with database.read() as connection:
        return (await connection.execute(_STORED, {"done_key": effect_key})).one_or_none() is not None


def checked_key(effect_key: str) -> str:
    """The key itself. Raises ValueError when it is empty or longer than the tables hold."""
    if not 0 < len(effect_key) <= KEY_LENGTH or "\x00" in effect_key:
        raise ValueError(f"an effect key has 1 to {KEY_LENGTH} characters and no NUL: {effect_key[:80]!r}")
    return effect_key


def _answer_of(connection: Connection, effect_key: str, act: str, kind: type[T]) -> T:
    row = connection.execute(_STORED, {"done_key": effect_key}).one()
    return _decoded(row.act, row.answer, effect_key, act, kind)


def _decoded(stored_act: str, answer: object, effect_key: str, act: str, kind: type[T]) -> T:
    if stored_act != act:
        raise EffectKeyReused(f"effect key {effect_key!r} was used for {stored_act}, it can't be used for {act}")
    return cast(T, None) if kind is NoneType else decode(kind, answer)


_STORED = select(EffectRow.act, EffectRow.answer).where(EffectRow.effect_key == bindparam("done_key"))
_SETTLE = update(EffectRow).where(EffectRow.effect_key == bindparam("done_key")).values(answer=bindparam("answer"))


@cache
def _claim(dialect: str) -> ReturningInsert[str]:
    claim = insert_into(dialect, EffectRow).values(effect_key=bindparam("effect_key"), act=bindparam("act"))
    return claim.on_conflict_do_nothing(index_elements=[EffectRow.effect_key]).returning(EffectRow.effect_key)
