"""What the deals of an order file need before they begin: people, customers, articles with prices, and stock.

Everything is entered once: what stands is left as it is, and a higher share or more orders add what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from cli.imports.opportunities import Dataset
from cli.imports.orders import CURRENCY, SERVICES, OrderFile, SalesOrder
from cli.imports.pipeline import set_up
from cli.imports.products import SINCE
from infra.desk.books import Books
from infra.stores.people import Person
from models.lifecycle.roles import Role

SELLER = Person("import-sales", "Import: account manager of imported orders", (str(Role.ACCOUNT_MANAGER),))


def demand(orders: Iterable[SalesOrder]) -> Counter[str]:
    """Units ordered per article."""
    units: Counter[str] = Counter()
    for order in orders:
        for item in order.items:
            units[item.article] += item.quantity
    return units


def opening_stock(orders: Iterable[SalesOrder], share: int) -> dict[str, int]:
    """Units on the shelf before the first order: `share` percent of the demand, rounded down; services in full."""
    units = demand(orders)
    return {article: n if article in SERVICES else n * share // 100 for article, n in units.items()}


def warehouse_of(file: OrderFile) -> str:
    """The central warehouse that belongs to a file, so that two files never share a shelf."""
    return f"orders-{file.digest[:8]}"


def customers_of(file: OrderFile) -> dict[str, str]:
    """The ids of the file's customers; the empty one is everybody whom the file doesn't name."""
    walk_in = f"walk-in-{file.digest[:8]}"
    return {order.customer: f"customer-{order.customer}" if order.customer else walk_in for order in file.orders}


async def enter(file: OrderFile, orders: list[SalesOrder], share: int, books: Books, at: str) -> None:
    """Enter the masters of the file, and the opening stock for the first orders of it."""
    people = [SELLER]
    dataset = Dataset([], [], people=people, customers=_cards(file), articles=_articles(file), prices=_prices(file))
    await set_up(dataset, books, at)
    warehouse = warehouse_of(file)
    await books.intake.add_warehouse(warehouse, "Central warehouse of imported orders", "central")
    there = await _opened(books, warehouse)
    for article, units in opening_stock(orders, share).items():
        if (missing := units - there[article]) > 0:
            key = f"import:orders:{file.digest}:{article}:{units}"
            await books.intake.open_stock(article, warehouse, missing, at, key)


async def _opened(books: Books, warehouse: str) -> Counter[str]:
    """Units that were entered as opening stock of a warehouse before."""
    units: Counter[str] = Counter()
    after = 0
    while moves := await books.stock.moves(after=after, limit=1000):
        after = moves[-1]["id"]
        for move in moves:
            if move["kind"] == "opening" and move["warehouse"] == warehouse:
                units[move["article"]] += move["quantity"]
    return units


def _cards(file: OrderFile) -> list[dict[str, Any]]:
    cards = []
    for number, identifier in customers_of(file).items():
        name = f"Customer {number}" if number else "Walk-in customers of imported orders"
        country = file.countries.get(number, "") if number else ""
        card = {"id": identifier, "group_id": identifier, "name": name, "currency": CURRENCY, "source": "orders"}
        cards.append({**card, "country": country, "owner": SELLER.id})
    return cards


def _articles(file: OrderFile) -> list[dict[str, Any]]:
    analogues = file.analogues()
    return [
        {
            "id": article,
            "description": file.descriptions.get(article, article),
            "series": "service" if article in SERVICES else "",
            "tax_bps": 0,
            "analogue": analogues.get(article, ""),
            "active": True,
        }
        for article in demand(file.orders)
    ]


def _prices(file: OrderFile) -> list[dict[str, Any]]:
    """The highest price of an article in the file is its list price: whoever paid less had a discount."""
    highest: Counter[str] = Counter()
    for order in file.orders:
        for item in order.items:
            highest[item.article] = max(highest[item.article], item.unit_price_minor)
    return [
        {
            "article_id": article,
            "currency": CURRENCY,
            "price_column": "standard",
            "list_price_minor": price,
            "cost_minor": 0,
            "valid_from": SINCE,
        }
        for article, price in highest.items()
    ]
