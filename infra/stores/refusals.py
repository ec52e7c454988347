"""Keeps every act that was asked for and refused, with its leaf in the audit log."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from infra.db import Database, insert_into
from infra.stores.audit_log import Leaf, append_leaves
from models.tables.records import RefusalRow
from models.timeline import digest

_DEEPEST = 6
_LONGEST = 2_000
_EXACT = 2**53 - 1
"""Whole numbers beyond it have no canonical JSON."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Who was refused what and why; `code` is the problem's stable code, `key` the caller's, empty without one."""

    deal_id: str
    at: str
    actor: str
    action: str
    code: str
    detail: dict[str, Any] = field(default_factory=dict)
    key: str = ""


class RefusalStore:
    """Refused acts. Whatever a caller sent, its refusal can be recorded."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, refusal: Refusal) -> None:
        """Record a refusal; one with a key once only per deal, actor, key, action and code."""
        await self._database.write(partial(_write, refusal=storable(refusal)))


def storable(refusal: Refusal) -> Refusal:
    """The refusal as the tables can hold it: bad input is what refusals are made of, so it is clipped, not refused."""
    return replace(
        refusal,
        deal_id=_text(refusal.deal_id, 80),
        actor=_text(refusal.actor, 80),
        action=_text(refusal.action, 40),
        code=_text(refusal.code, 40),
        key=_text(refusal.key, 200),
        detail=_plain(refusal.detail, _DEEPEST),
    )


def storable_detail(detail: dict[str, Any]) -> dict[str, Any]:
    """A detail as the tables can hold it."""
    plain: dict[str, Any] = _plain(detail, _DEEPEST)
    return plain


def refusal_hash(row: Any) -> str:
    """The hash that the audit log attests, of a Refusal or of a row of the table."""
    return digest({name: row[name] if not isinstance(row, Refusal) else getattr(row, name) for name in _FIELDS})


_FIELDS = Refusal.__slots__


def _write(connection: Connection, refusal: Refusal) -> None:
    row = {name: getattr(refusal, name) for name in _FIELDS}
    added = insert_into(connection.dialect.name, RefusalRow).on_conflict_do_nothing().returning(RefusalRow.id)
    number = connection.execute(added, row).scalar_one_or_none()
    if number is not None:
        append_leaves(connection, [Leaf("refusal", str(number), refusal_hash(refusal), refusal.at)])


def _text(value: str, longest: int = _LONGEST) -> str:
    clean = value.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def _plain(value: Any, depth: int) -> Any:
    """The value with only what canonical JSON and both databases keep unchanged; anything else becomes text."""
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _EXACT):
        return value
    if isinstance(value, dict) and depth:
        return {_text(str(key), 200): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and depth:
        return [_plain(item, depth - 1) for item in value]
    return _text(value if isinstance(value, str) else _spelled(value))


def _spelled(value: Any) -> str:
    # an int of thousands of digits has no decimal text in Python
    return hex(value) if isinstance(value, int) else repr(value)
