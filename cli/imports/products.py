"""Articles and prices from CSV: one row an article, one pair of columns `price_eur`, `cost_eur` a currency."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cli.imports.cells import BadCell, Cells
from cli.imports.report import Report
from cli.imports.sheets import Row, Sheet, read_sheet
from infra.db import Database
from infra.stores.articles import ArticleStore

REQUIRED = ("id", "description")
SINCE = "2020-01-01"
"""From when a price holds that names no day; fixed, so that importing again changes nothing."""

Card = dict[str, Any]


async def import_products(database: Database, path: Path) -> Report:
    """Add new articles and prices, and bring changed ones up to date."""
    report = Report(str(path))
    sheet = read_sheet(path, REQUIRED, report)
    currencies = price_currencies(sheet.columns)
    if not currencies:
        report.notes.append("no column price_<currency>: the articles get no prices")
    store = ArticleStore(database)
    standing = await all_articles(store)
    articles, prices = _read(sheet, currencies, frozenset(standing), report)
    changed = [card for card in articles.values() if not _stands(standing.get(card["id"]), card, prices)]
    report.unchanged = len(articles) - len(changed)
    touched = {card["id"] for card in changed}
    await store.put_many(changed, [price for price in prices if price["article_id"] in touched])
    return report


def price_currencies(columns: tuple[str, ...]) -> list[str]:
    """The currencies that a sheet has prices for."""
    return [name[6:].upper() for name in columns if re.fullmatch(r"price_[a-z]{3}", name)]


async def all_articles(store: ArticleStore) -> dict[str, Card]:
    """Every article that stands, with its prices, by id."""
    found: dict[str, Card] = {}
    cursor = ""
    while True:
        page = await store.page(cursor=cursor, limit=200)
        for row in page.rows:
            found[row["id"]] = await store.get(row["id"]) or row
        cursor = page.next_cursor
        if not cursor:
            return found


def _read(
    sheet: Sheet, currencies: list[str], standing: frozenset[str], report: Report
) -> tuple[dict[str, Card], list[Card]]:
    known = standing | {row.cells["id"] for row in sheet.rows}
    articles: dict[str, Card] = {}
    lines: dict[str, int] = {}
    prices: list[Card] = []
    for row in sheet.rows:
        cells = Cells(row)
        try:
            card = _article(cells, known)
            own = _prices(cells, card["id"], currencies)
            if card["id"] in articles:
                raise BadCell(f"the id stands on line {lines[card['id']]} already")
        except BadCell as bad:
            report.refuse(row.line, row.cells["id"], str(bad))
            continue
        articles[card["id"]], lines[card["id"]] = card, row.line
        prices += own
        report.repair(row.line, card["id"], cells.repairs)
        _doubts(row, card["id"], own, report)
    return articles, prices


def _article(cells: Cells, known: frozenset[str]) -> Card:
    identifier = cells.identifier("id")
    analogue = cells.text("analogue", 80)
    if analogue == identifier or (analogue and analogue not in known):
        cells.repairs.append(f"analogue {analogue!r} is no other article: left out")
        analogue = ""
    return {
        "id": identifier,
        "description": cells.needed("description"),
        "series": cells.text("series", 40),
        # a percentage with two decimals is basis points as an amount with two decimals is cents
        "tax_bps": cells.minor("tax_percent", "EUR", most=10_000) if cells.text("tax_percent") else 0,
        "analogue": analogue,
        "active": cells.yes("active") if cells.text("active") else True,
    }


def _prices(cells: Cells, article: str, currencies: list[str]) -> list[Card]:
    since = cells.day("valid_from")
    prices = []
    for currency in currencies:
        price, cost = f"price_{currency.lower()}", f"cost_{currency.lower()}"
        if not cells.text(price):
            continue
        prices.append(
            {
                "article_id": article,
                "currency": currency,
                "price_column": cells.text("price_column", 40, default="standard"),
                "list_price_minor": cells.minor(price, currency),
                "cost_minor": cells.minor(cost, currency) if cells.text(cost) else 0,
                "valid_from": since.isoformat() if since else SINCE,
            }
        )
    return prices


def _stands(there: Card | None, card: Card, prices: list[Card]) -> bool:
    if there is None or any(there[name] != value for name, value in card.items()):
        return False
    old = there.get("prices", [])
    own = (price for price in prices if price["article_id"] == card["id"])
    return all(any(all(row[name] == value for name, value in price.items()) for row in old) for price in own)


def _doubts(row: Row, article: str, prices: list[Card], report: Report) -> None:
    if not prices:
        report.remark(row.line, article, "no price in any currency: the article can't be offered")
    for price in prices:
        if price["cost_minor"] > price["list_price_minor"]:
            report.remark(row.line, article, f"costs more than its list price in {price['currency']}")
