"""Importing opportunities from end to end: read, set up what they are about, drive the deals, compare the funnels."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.hands import Hands
from cli.imports.customers import all_cards
from cli.imports.driving import IMPORT_POLICY, Driven, Driver
from cli.imports.funnel import Funnel, funnel_of
from cli.imports.maven import read_folder
from cli.imports.opportunities import Dataset, Known, Opportunity, read_opportunities
from cli.imports.products import all_articles
from cli.imports.steps import Office
from cli.imports.users import all_people
from cli.screen import Screen
from infra.db import Database
from infra.desk.books import Books
from infra.settings import Settings
from infra.stores.people import Person
from models.lifecycle.roles import Role

CLERK = Person("import-office", "Import: order desk, warehouse and accounts", (str(Role.AUTOMATION),))
RISK = Person("import-risk", "Import: risk officer", (str(Role.RISK_OFFICER),))
DIRECTOR = Person("import-director", "Import: commercial director", (str(Role.COMMERCIAL_DIRECTOR),))
WAREHOUSE = "import-central"


@dataclass(frozen=True, slots=True)
class Driving:
    """What came of the drive."""

    driven: list[Driven]
    funnel: Funnel
    seconds: float

    def plain(self) -> dict[str, Any]:
        """The drive for programs."""
        fresh = sum(1 for one in self.driven if not one.resumed)
        rate = len(self.driven) / self.seconds if self.seconds else 0.0
        counts = {"rows": len(self.driven), "opened": fresh, "found": len(self.driven) - fresh}
        told = {"seconds": round(self.seconds, 1), "rows_per_second": round(rate, 2), "policy": IMPORT_POLICY.version}
        return {**counts, **told, "funnel": self.funnel.plain()}


async def read_dataset(path: Path, database: Database, settings: Settings) -> Dataset:
    """Our own file, or a folder of a CRM's export. Raises CommandFailed."""
    if await asyncio.to_thread(path.is_dir):
        return await asyncio.to_thread(read_folder, path)
    books = Books(database, settings)
    known = Known(
        people=await all_people(books.people),
        customers=await all_cards(books.customers),
        articles=await all_articles(books.articles),
        branches=frozenset(row["id"] for row in await books.stock.warehouses()),
    )
    return read_opportunities(path, known)


async def drive(dataset: Dataset, rows: list[Opportunity], hands: Hands, at_once: int, screen: Screen) -> Driving:
    """Set up what the rows are about, and drive their deals."""
    books = hands.desk.books
    await set_up(dataset, books, hands.desk.clock())
    office = Office(CLERK.id, RISK.id, DIRECTOR.id, dataset.manager_of)
    driver = Driver(hands, office, books.database, books.settings)
    started = time.monotonic()
    with screen.progress("deals", len(rows)) as progress:
        driven = await driver.drive_all(rows, at_once, progress)
    return Driving(driven, funnel_of(driven), time.monotonic() - started)


async def set_up(dataset: Dataset, books: Books, at: str) -> None:
    """Add people, customers, articles and stock that are missing; what stands is left as it is."""
    await books.people.put_many([CLERK, RISK, DIRECTOR, *dataset.people], at)
    there = await all_cards(books.customers)
    await books.customers.put_many([_card(card) for card in dataset.customers if card["id"] not in there], at)
    listed = await all_articles(books.articles)
    articles = [card for card in dataset.articles if card["id"] not in listed]
    new = {card["id"] for card in articles}
    await books.articles.put_many(articles, [price for price in dataset.prices if price["article_id"] in new])
    if dataset.stock:
        await books.intake.add_warehouse(WAREHOUSE, "Central warehouse of imported deals", "central")
    for article, units in dataset.stock.items():
        await books.intake.receive(article, WAREHOUSE, units, at, f"import:{dataset.digest}:{article}")


def _card(card: dict[str, Any]) -> dict[str, Any]:
    """Every card with the same columns, as one statement writes them all."""
    blank = {"segment": "", "country": "", "founded_on": "", "source": "", "owner": ""}
    return {**blank, **card}
