"""What is measured: a real embedded server, a worker in a process of its own, our SQLite file, and seed data."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert
from temporalio.client import Client

from infra.db import open_database, table_of
from infra.gateways.stock_intake import StockIntake
from infra.migrate import upgrade
from infra.settings import Settings, load_settings
from infra.stores.people import PeopleStore, Person
from infra.stores.policies import PolicyStore, PolicyVersion
from infra.temporal_client import connect_as
from infra.temporal_server import EmbeddedServer, ServerOptions
from models import codec
from models.lifecycle.roles import Role
from models.policy import DEFAULT
from models.tables.masters import ArticleRow, CustomerRow, PriceRow

BENCH_WORKER = ("-m", "benchmarks.hands")
PLAIN_WORKER = ("-m", "worker")
ROOT = Path(__file__).resolve().parent.parent
ARTICLES = ("A-1", "A-2", "A-3")
NEVER_THERE = "A-9"
"""An article with a price of which there is no stock."""
CUSTOMERS = 200
_SEEDED_AT = "2026-01-01T00:00:00Z"
_FINANCIALS = {
    "working_capital_minor": 400_000,
    "retained_earnings_minor": 300_000,
    "ebit_minor": 200_000,
    "equity_minor": 700_000,
    "total_assets_minor": 1_000_000,
    "total_liabilities_minor": 300_000,
}


@dataclass
class Rig:
    """A running system to measure. `worker` is the worker's process."""

    settings: Settings
    server: EmbeddedServer
    client: Client
    worker: asyncio.subprocess.Process
    books: sqlite3.Connection
    key: str
    """API key of the account manager who owns all deals."""

    @property
    def temporal_db(self) -> Path:
        """The engine's SQLite file."""
        return self.server.options.folder / "temporal.db"


@asynccontextmanager
async def running_rig(
    folder: Path, program: tuple[str, ...] = BENCH_WORKER, *, test_clock: bool = False
) -> AsyncIterator[Rig]:
    """Start server and worker on a fresh data folder as `dealwright up` would, and stop them in the end."""
    settings = load_settings(data_dir=folder, **({"test_clock": True} if test_clock else {}))
    await asyncio.to_thread(_prepare, settings)
    key = await _seed(settings)
    options = ServerOptions(folder, test_clock=settings.test_clock, synchronous=settings.sqlite_synchronous)
    async with EmbeddedServer(options) as server:
        client = await connect_as(settings, server.address)
        worker = await start(program, folder, server.address)
        books = sqlite3.connect(f"file:{settings.database_file}?mode=ro", uri=True, isolation_level=None)
        try:
            yield Rig(settings, server, client, worker, books, key)
        finally:
            books.close()
            await stop(worker)


def _prepare(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database)


async def start(program: tuple[str, ...], folder: Path, address: str, **variables: str) -> asyncio.subprocess.Process:
    """Start one of the product's processes on a rig's folder and server; its output goes to a log there."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DEALWRIGHT_DATA_DIR": str(folder),
        "DEALWRIGHT_TEMPORAL_ADDRESS": address,
        **variables,
    }
    with (folder / "processes.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(sys.executable, *program, env=environment, stdout=log, stderr=log)


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a process that `start` began."""
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 15)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _seed(settings: Settings) -> str:
    """Creditworthy customers of a group each, three articles with prices, and stock that never runs out.

    Answers the API key of the account manager who will own all deals.
    """
    database = open_database(settings.database)
    prices = {"currency": "EUR", "price_column": "standard", "valid_from": "2020-01-01"}
    async with database.begin() as connection:
        await connection.execute(insert(table_of(CustomerRow)), [_customer(n) for n in range(CUSTOMERS)])
        await connection.execute(
            insert(table_of(ArticleRow)),
            [
                {"id": a, "description": f"Pump {a}", "series": "", "tax_bps": 1900, "analogue": ""}
                for a in (*ARTICLES, NEVER_THERE)
            ],
        )
        await connection.execute(
            insert(table_of(PriceRow)),
            [
                {"article_id": a, "list_price_minor": 10_000, "cost_minor": 6_000, **prices}
                for a in (*ARTICLES, NEVER_THERE)
            ],
        )
    stock = StockIntake(database)
    await stock.add_warehouse("berlin", "Berlin", "branch")
    for article in ARTICLES:
        await stock.open_stock(article, "berlin", 1_000_000, _SEEDED_AT, f"open-{article}")
    policy = PolicyVersion(DEFAULT.version, codec.encode(DEFAULT), _SEEDED_AT)
    await PolicyStore(database).add(policy, _SEEDED_AT)
    manager = Person("u-account_manager", "Ada", (str(Role.ACCOUNT_MANAGER),), "north")
    key = await PeopleStore(database).create(manager, _SEEDED_AT)
    await database.close()
    return key


def _customer(number: int) -> dict[str, object]:
    return {
        "id": f"c-{number}",
        "name": f"Kunde {number} GmbH",
        "group_id": f"g-{number}",
        "owner": "u-account_manager",
        "country": "DE",
        "language": "de",
        "currency": "EUR",
        "vat_id": "DE136695976",
        "iban": "DE89370400440532013000",
        "founded_on": "1990-01-01",
        "financials": _FINANCIALS,
        "created_at": _SEEDED_AT,
        "updated_at": _SEEDED_AT,
    }
