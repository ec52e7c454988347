"""Appends leaves to the audit log, inside the transaction that writes what they attest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, insert

from infra.db import insert_into, table_of
from models.instants import render
from models.merkle import audit_leaf
from models.tables.records import AuditHeadRow, AuditLeafRow
from models.timeline import digest

FORM = 2
"""Leaves of this form cover their times."""
_LEAVES = insert(table_of(AuditLeafRow))


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf attests: `ref` names it, `body_hash` is its hash; `body` is kept when no other row holds it."""

    kind: str
    ref: str
    body_hash: str
    at: str
    body: dict[str, Any] | None = None


def leaf_of_body(kind: str, ref: str, body: dict[str, Any], at: str) -> Leaf:
    """A leaf for something that no other table holds: the log keeps its body."""
    return Leaf(kind, ref, digest(body), at, body)


def append_leaves(connection: Connection, leaves: Sequence[Leaf]) -> int:
    """Append leaves and answer the number of the last. Call it late: other writers wait until this transaction ends."""
    last = _taken(connection, len(leaves))
    first = last - len(leaves) + 1
    logged_at = render(datetime.now(UTC))
    rows = [_row(number, leaf, logged_at) for number, leaf in enumerate(leaves, first)]
    if any(leaf.body is not None for leaf in leaves):
        connection.execute(_LEAVES, rows)
    else:  # what moves append: the statement as the driver takes it, for the same reason
        plain = _WITHOUT_BODY.format(", ".join([_mark(connection)] * len(_PLAIN)))
        connection.exec_driver_sql(plain, [tuple(row[name] for name in _PLAIN) for row in rows])
    return last


def _taken(connection: Connection, count: int) -> int:
    """Take so many numbers, and answer the last. In the drivers' own words, as every move waits here; who takes the
    very first ones makes the row, whoever else does so at once."""
    last = connection.exec_driver_sql(_NEXT.format(_mark(connection)), (count,)).scalar_one_or_none()
    if last is None:
        last = connection.execute(_take(connection.dialect.name), {"taken": count}).scalar_one()
    return int(last)


def _mark(connection: Connection) -> str:
    """How the driver marks a parameter."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


_PLAIN = ("sequence", "kind", "ref", "leaf_hash", "at", "form", "logged_at")
_WITHOUT_BODY = f"INSERT INTO audit_leaves ({', '.join(_PLAIN)}) VALUES ({{}})"  # noqa: S608 - names of columns
_NEXT = "UPDATE audit_head SET last_sequence = last_sequence + {} WHERE id = 1 RETURNING last_sequence"


@cache
def _take(dialect: str) -> Executable:
    first = insert_into(dialect, AuditHeadRow).values(id=1, last_sequence=bindparam("taken"))
    further = {"last_sequence": AuditHeadRow.last_sequence + first.excluded.last_sequence}
    return first.on_conflict_do_update(index_elements=["id"], set_=further).returning(AuditHeadRow.last_sequence)


def _row(number: int, leaf: Leaf, logged_at: str) -> dict[str, Any]:
    return {
        "sequence": number,
        "kind": leaf.kind,
        "ref": leaf.ref,
        "leaf_hash": audit_leaf(leaf.kind, leaf.ref, leaf.body_hash, leaf.at, logged_at),
        "at": leaf.at,
        "body": leaf.body,
        "form": FORM,
        "logged_at": logged_at,
    }
