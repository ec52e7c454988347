"""A foreign stock system and carrier on loopback, and our gateways to them with little patience."""

from collections.abc import AsyncIterator

import pytest_asyncio

from infra.db import Database
from infra.gateways.http_carrier import HttpCarrier
from infra.gateways.http_door import HttpDoor, Patience
from infra.gateways.http_stock_book import HttpStockBook
from tests.connectors.server import TOKEN, ConnectorServer, serving

HURRIED = Patience(timeout=0.2, tries=4, first_pause=0.01, budget=3.0)


@pytest_asyncio.fixture
async def abroad() -> AsyncIterator[ConnectorServer]:
    """The foreign systems: a branch `north` with 10 bolts, a central warehouse `hub` with 5."""
    server = ConnectorServer()
    server.stock.add_warehouse("north", "branch")
    server.stock.add_warehouse("hub", "central")
    server.stock.put("bolt", "north", 10)
    server.stock.put("bolt", "hub", 5)
    async with serving(server):
        yield server


@pytest_asyncio.fixture
async def stock(abroad: ConnectorServer, database: Database) -> AsyncIterator[HttpStockBook]:
    """Our stock book, which is theirs."""
    book = HttpStockBook(HttpDoor("stock book", f"{abroad.url}/stock", TOKEN, HURRIED), database)
    yield book
    await book.close()


@pytest_asyncio.fixture
async def carrier(abroad: ConnectorServer, database: Database) -> AsyncIterator[HttpCarrier]:
    """The foreign carrier."""
    gateway = HttpCarrier(HttpDoor("carrier", f"{abroad.url}/carrier", TOKEN, HURRIED), database)
    yield gateway
    await gateway.close()
