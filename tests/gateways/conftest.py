"""Worlds for contract tests: a fake and the real gateway are asked the same questions. Races run on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from infra.db import Database, open_database
from tests.gateways.worlds import CreditWorld, FakeCredit, FakeStock, RealCredit, RealStock, StockWorld


@pytest.fixture(params=["fake", "real"])
def world(request: pytest.FixtureRequest) -> StockWorld:
    return FakeStock() if request.param == "fake" else RealStock(request.getfixturevalue("database"))


@pytest_asyncio.fixture
async def stock(world: StockWorld) -> StockWorld:
    """Warehouses `north`, `south` (branches) and `hub` (central), all empty."""
    for warehouse, kind in (("north", "branch"), ("south", "branch"), ("hub", "central")):
        await world.add_warehouse(warehouse, kind)
    return world


@pytest.fixture(params=["fake", "real"])
def credit(request: pytest.FixtureRequest) -> CreditWorld:
    if request.param == "fake":
        return FakeCredit()
    return RealCredit(request.getfixturevalue("database"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def each_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest_asyncio.fixture
async def each_database(each_url: str) -> AsyncIterator[Database]:
    """SQLite and PostgreSQL, whatever the variant: races are run on both, always."""
    opened = open_database(each_url, synchronous="NORMAL")
    yield opened
    await opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "papers"
