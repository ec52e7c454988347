"""How goods come into the stock book without a deal: warehouses, opening stock, expected and received deliveries."""

from functools import partial
from types import NoneType

from sqlalchemy import Connection, delete, exists, insert, select

from infra.db import Database, insert_into
from infra.gateways import checked, stock_statements
from infra.gateways.once import checked_key, once
from models.tables.stock import RestockRow, StockMoveRow, WarehouseRow

KINDS = ("branch", "central")


class StockIntake:
    """What imports and the API do to the stock book. Every act is done once per key, for ever."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_warehouse(self, warehouse: str, name: str, kind: str) -> None:
        """Add a warehouse of kind `branch` or `central`, or rename it."""
        checked.text(warehouse, "a warehouse")
        checked.text(name, "a name", 300)
        if kind not in KINDS:
            raise ValueError(f"a warehouse is one of {', '.join(KINDS)}, not {kind!r:.40}")

        def add(connection: Connection) -> None:
            new = insert_into(connection.dialect.name, WarehouseRow).values(id=warehouse, name=name, kind=kind)
            connection.execute(new.on_conflict_do_update(index_elements=["id"], set_={"name": name, "kind": kind}))

        await self._database.write(add)

    async def open_stock(self, article: str, warehouse: str, quantity: int, at: str, key: str) -> None:
        """Enter what lay on the shelf when the book was opened, in whole units.

        Raises ValueError for an unknown warehouse.
        """
        _check(article, quantity, at)
        work = partial(_enter, kind="opening", article=article, warehouse=warehouse, quantity=quantity, at=at, key=key)
        await once(self._database, key, "stock.open", NoneType, work)

    async def receive(self, article: str, warehouse: str, quantity: int, at: str, key: str, expected: str = "") -> None:
        """Enter a delivery of whole units; `expected` is the key of the arrival that it was announced under."""
        _check(article, quantity, at)

        def receive(connection: Connection) -> None:
            _enter(connection, "received", article, warehouse, quantity, at, key)
            connection.execute(delete(RestockRow).where(RestockRow.id == expected, RestockRow.article == article))

        await once(self._database, key, "stock.receive", NoneType, receive)

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


def _enter(connection: Connection, kind: str, article: str, warehouse: str, quantity: int, at: str, key: str) -> None:
    if not connection.scalar(select(exists().where(WarehouseRow.id == warehouse))):
        raise ValueError(f"there is no warehouse {warehouse!r:.80}")
    shelf = {"article": article, "warehouse": warehouse}
    connection.execute(
        stock_statements.put_on_shelf(connection.dialect.name), {**shelf, "on_hand": quantity, "reserved": 0}
    )
    move = {**shelf, "kind": kind, "at": at, "quantity": quantity, "effect_key": key, "deal_id": "", "line": 0}
    connection.execute(insert(StockMoveRow), move)
