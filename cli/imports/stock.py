"""Stock from CSV: opening stock, receipts and announced arrivals, each entered once however often it is imported."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from cli.imports.cells import BadCell, Cells
from cli.imports.countries import country_in
from cli.imports.report import Report
from cli.imports.sheets import read_sheet
from infra.db import Database
from infra.gateways.stock_intake import KINDS, StockIntake
from infra.gateways.stock_reading import StockReader
from infra.stores.articles import ArticleStore
from infra.stores.pages import Row

REQUIRED = ("article", "warehouse", "quantity")
MOST_UNITS = 10**9


class _Books:
    """What the stock book holds already, as far as an import has to know."""

    def __init__(self, articles: frozenset[str], warehouses: dict[str, Row], openings: dict[tuple[str, str], int]):
        self.articles, self.warehouses, self.openings = articles, warehouses, openings


async def import_stock(database: Database, path: Path, at: str) -> Report:
    """Enter the rows; what stands already under its article, warehouse and reference is left as it is."""
    report = Report(str(path))
    books = await _look(database)
    intake = StockIntake(database)
    for row in read_sheet(path, REQUIRED, report).rows:
        cells = Cells(row)
        ref = f"{row.cells['article']} in {row.cells['warehouse']}"
        try:
            report.unchanged += not await _enter(intake, cells, books, at)
        except BadCell as bad:
            report.refuse(row.line, ref, str(bad))
        else:
            report.repair(row.line, ref, cells.repairs)
    return report


async def _look(database: Database) -> _Books:
    reader = StockReader(database)
    openings: dict[tuple[str, str], int] = {}
    after = 0
    while moves := await reader.moves(after=after, limit=1000):
        after = moves[-1]["id"]
        openings |= {(m["article"], m["warehouse"]): m["quantity"] for m in moves if m["kind"] == "opening"}
    articles, cursor = set[str](), ""
    while True:
        page = await ArticleStore(database).page(cursor=cursor, limit=200)
        articles |= {row["id"] for row in page.rows}
        if not (cursor := page.next_cursor):
            break
    return _Books(frozenset(articles), {w["id"]: w for w in await reader.warehouses()}, openings)


async def _enter(intake: StockIntake, cells: Cells, books: _Books, at: str) -> bool:
    """Enter a row; False when it stands already."""
    article, warehouse = cells.needed("article"), cells.identifier("warehouse")
    if article not in books.articles:
        raise BadCell(f"there is no article {article[:40]!r}: import products first")
    quantity = cells.whole("quantity", 1, MOST_UNITS)
    expected, reference = _day(cells, at), cells.text("reference", 80)
    opened = books.openings.get((article, warehouse))
    is_opening = not expected and not reference
    if is_opening and opened is not None and opened != quantity:
        raise BadCell(f"the opening stock is {opened} already: enter the difference with a reference")
    await _warehouse(intake, cells, books, warehouse)
    if is_opening:
        await intake.open_stock(article, warehouse, quantity, at, f"import:opening:{article}:{warehouse}")
        books.openings[(article, warehouse)] = quantity
        return opened is None
    what = "expected" if expected else "received"
    key = f"import:{what}:{reference or cells.text('expected_on')}:{article}:{warehouse}"[:200]
    if await intake.stands(key):
        return False
    if expected:
        await intake.expect(article, expected, quantity, key)
    else:
        await intake.receive(article, warehouse, quantity, at, key)
    return True


async def _warehouse(intake: StockIntake, cells: Cells, books: _Books, warehouse: str) -> None:
    """Add a warehouse, or change its kind or country when the row names another."""
    known = books.warehouses.get(warehouse, {})
    country = country_in(cells) or str(known.get("country", ""))
    kind = str(known.get("kind", ""))
    if not known or cells.text("warehouse_kind"):
        kind = cells.choice("warehouse_kind", KINDS, default="central")
    if (known.get("kind"), known.get("country")) != (kind, country):
        name = cells.text("warehouse_name") or str(known.get("name", warehouse))
        await intake.add_warehouse(warehouse, name, kind, country)
        books.warehouses[warehouse] = {"id": warehouse, "name": name, "kind": kind, "country": country}


def _day(cells: Cells, at: str) -> str:
    """The day of an arrival: a date, or `+14d` for days from now."""
    written = cells.text("expected_on")
    if ahead := re.fullmatch(r"\+(\d{1,3})d", written):
        return (date.fromisoformat(at[:10]) + timedelta(days=int(ahead[1]))).isoformat()
    day = cells.day("expected_on")
    return day.isoformat() if day else ""
