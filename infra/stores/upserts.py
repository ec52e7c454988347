"""Puts cards (customers, articles, prices, ...) into their tables: new ones are added, known ones changed."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from infra.db import insert_into, table_of


class AlreadyStands(ValueError):
    """There is one with this id already."""


class UnknownColumn(ValueError):
    """A card names something that its table does not have, or lacks something that it must have."""


def complete(row_class: type[DeclarativeBase], card: Mapping[str, Any]) -> dict[str, Any]:
    """The card with the table's defaults for what it leaves out. Raises UnknownColumn."""
    table = table_of(row_class)
    if unknown := sorted(set(card) - set(table.columns.keys())):
        raise UnknownColumn(f"{table.name} has no {', '.join(unknown)}")
    row = {}
    for column in table.columns:
        if column.name in card:
            row[column.name] = card[column.name]
        elif isinstance(column.default, ScalarElementColumnDefault):
            row[column.name] = column.default.arg
        elif column.nullable:
            row[column.name] = None
        elif column is not table.autoincrement_column:
            raise UnknownColumn(f"{table.name} needs {column.name}")
    return row


def put(
    connection: Connection,
    row_class: type[DeclarativeBase],
    rows: Iterable[dict[str, Any]],
    key: Collection[str],
    keep: Collection[str] = (),
) -> None:
    """Add rows, or change those that stand under the same `key`; columns in `keep` stay as they were first."""
    found = list(rows)
    if not found:
        return
    statement = insert_into(connection.dialect.name, row_class)
    changes = {name: statement.excluded[name] for name in found[0] if name not in key and name not in keep}
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changes), found)


def add(connection: Connection, row_class: type[DeclarativeBase], row: dict[str, Any]) -> None:
    """Add one row. Raises AlreadyStands when its key is taken."""
    statement = insert_into(connection.dialect.name, row_class).on_conflict_do_nothing()
    if not connection.execute(statement, row).rowcount:
        raise AlreadyStands(f"{row_class.__tablename__} {row.get('id', '')} stands already")
