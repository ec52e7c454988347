"""Keyset pages: a list is read in a fixed order, and the cursor names the last row that was read.

The cost of a page doesn't grow with its distance from the first one.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Result, RowMapping, Select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import Database

Row = dict[str, Any]
"""One row as plain values: column name to value."""

MOST = 200
"""Rows on one page at most."""


class BadCursor(ValueError):
    """A cursor that no page of this list gave."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list; `next_cursor` is empty on the last page."""

    rows: list[Row]
    next_cursor: str = ""


Order = Sequence[ColumnElement[Any]]
"""Selected columns that a list is read by: together unique, all of them text or whole numbers."""


async def look_page(
    database: Database, query: Select[Any], order: Order, cursor: str, limit: int, newest_first: bool = False
) -> Page:
    """The page of `query` after `cursor`. Raises BadCursor."""
    ordered, limit = _after(query, order, cursor, limit, newest_first)
    return await database.look(lambda connection: _page(connection.execute(ordered), order, limit))


async def read_page(
    connection: AsyncConnection, query: Select[Any], order: Order, cursor: str, limit: int, newest_first: bool = False
) -> Page:
    """The same on a connection that the caller goes on reading from."""
    ordered, limit = _after(query, order, cursor, limit, newest_first)
    return _page(await connection.execute(ordered), order, limit)


def _after(query: Select[Any], order: Order, cursor: str, limit: int, newest_first: bool) -> tuple[Select[Any], int]:
    limit = max(1, min(limit, MOST))
    if cursor:
        place = tuple_(*decode_cursor(cursor, order))
        query = query.where(tuple_(*order) < place if newest_first else tuple_(*order) > place)
    # one row more than asked for tells whether there is a next page
    return query.order_by(*(column.desc() if newest_first else column for column in order)).limit(limit + 1), limit


def _page(result: Result[Any], order: Order, limit: int) -> Page:
    found = result.mappings().all()
    return Page(
        [dict(row) for row in found[:limit]], encode_cursor(found[limit - 1], order) if len(found) > limit else ""
    )


def encode_cursor(row: RowMapping, order: Order) -> str:
    """The cursor that names a row."""
    place = json.dumps([row[column] for column in order], separators=(",", ":"))
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, order: Order) -> list[str | int]:
    """The place that a cursor names. Raises BadCursor for anything that `encode_cursor` did not make."""
    try:
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise BadCursor("this cursor comes from no page of this list") from None
    kinds = [column.type.python_type for column in order]
    sound = isinstance(place, list) and [type(value) for value in place] == kinds
    if not sound or any(_unstorable(value) for value in place):
        raise BadCursor("this cursor comes from no page of this list")
    return list(place)


def _unstorable(value: str | int) -> bool:
    if isinstance(value, int):
        return not -(2**63) <= value < 2**63
    return any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in value)
