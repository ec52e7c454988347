"""How goods come into the stock book without a deal: warehouses, opening stock, expected and received deliveries.

What comes in is set aside at once for the order lines that wait for it.
"""

import re
from collections.abc import Callable
from functools import partial
from types import NoneType
from typing import cast

from sqlalchemy import Connection, delete, exists, insert, select

from infra.db import Database, insert_into
from infra.gateways import checked, stock_statements, waiting_list
from infra.gateways.once import checked_key, once, was_done
from models.messages.logistics import ReceiptResult, Woken
from models.tables.stock import RestockRow, StockMoveRow, WarehouseRow

KINDS = ("branch", "central")

_COUNTRY = re.compile(r"([A-Z]{2})?")
_ANSWER = cast("type[ReceiptResult | None]", ReceiptResult | None)
"""Receipts that were entered before there was a waiting list have no answer."""


class StockIntake:
    """What imports and the API do to the stock book. Every act is done once per key, for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_warehouse(self, warehouse: str, name: str, kind: str, country: str = "") -> None:
        """Add a warehouse of kind `branch` or `central`, or rename it.

        `country` is an ISO 3166 alpha-2 code in capitals; empty leaves what is known. Raises ValueError for others.
        """
        checked.text(warehouse, "a warehouse")
        checked.text(name, "a name", 300)
        if kind not in KINDS:
            raise ValueError(f"a warehouse is one of {', '.join(KINDS)}, not {kind!r:.40}")
        if not _COUNTRY.fullmatch(country):
            raise ValueError(f"a country is two capital letters such as DE, not {country!r:.40}")
        row = {"name": name, "kind": kind, **({"country": country} if country else {})}

        def add(connection: Connection) -> None:
            new = insert_into(connection.dialect.name, WarehouseRow).values(id=warehouse, **row)
            connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=row))

        await self._database.write(add)

    async def open_stock(self, article: str, warehouse: str, quantity: int, at: str, key: str) -> tuple[Woken, ...]:
        """Enter what lay on the shelf when the book was opened, in whole units; answers what was set aside for whom.

        Raises ValueError for an unknown warehouse.
        """
        _check(article, quantity, at)
        work = partial(_enter, kind="opening", article=article, warehouse=warehouse, quantity=quantity, at=at, key=key)
        return await self._woken(key, "stock.open", work)

    async def receive(
        self, article: str, warehouse: str, quantity: int, at: str, key: str, expected: str = ""
    ) -> tuple[Woken, ...]:
        """Enter a delivery of whole units; answers what was set aside for whom, the longest waiting first.

        `expected` is the key of the arrival that it was announced under. Raises ValueError for an unknown warehouse.
        """
        _check(article, quantity, at)

        def receive(connection: Connection) -> ReceiptResult:
            connection.execute(delete(RestockRow).where(RestockRow.id == expected, RestockRow.article == article))
            return _enter(connection, "received", article, warehouse, quantity, at, key)

        return await self._woken(key, "stock.receive", receive)

    async def stands(self, key: str) -> bool:
        """Whether something was entered under this key."""
        return await was_done(self._database, key)

    async def _woken(self, key: str, act: str, work: Callable[[Connection], ReceiptResult]) -> tuple[Woken, ...]:
        answer = await once(self._database, key, act, _ANSWER, work)
        return answer.woken if answer else ()

    async def expect(self, article: str, expected_on: str, quantity: int, key: str) -> None:
        """Announce an arrival on a day; whoever asks for missing units is told that day."""
        checked.text(article, "an article")
        checked.units(quantity)
        row = {"id": key, "article": article, "expected_on": checked.day(expected_on), "quantity": quantity}

        def expect(connection: Connection) -> None:
            connection.execute(insert(RestockRow).values(row))

        await once(self._database, checked_key(key), "stock.expect", NoneType, expect)


def _check(article: str, quantity: int, at: str) -> None:
    checked.text(article, "an article")
    checked.units(quantity)
    checked.instant(at)


def _enter(
    connection: Connection, kind: str, article: str, warehouse: str, quantity: int, at: str, key: str
) -> ReceiptResult:
    if not connection.scalar(select(exists().where(WarehouseRow.id == warehouse))):
        raise ValueError(f"there is no warehouse {warehouse!r:.80}")
    shelf = {"article": article, "warehouse": warehouse}
    waiting_list.alone(connection, {article})
    connection.execute(
        stock_statements.put_on_shelf(connection.dialect.name), {**shelf, "on_hand": quantity, "reserved": 0}
    )
    move = {**shelf, "kind": kind, "at": at, "quantity": quantity, "effect_key": key, "deal_id": "", "line": 0}
    connection.execute(insert(StockMoveRow), move)
    return ReceiptResult(waiting_list.set_aside(connection, {(article, warehouse)}, at))
