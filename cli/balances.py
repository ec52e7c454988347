"""Balances of goods and money as commands show them."""

from __future__ import annotations

from typing import Any

from infra.db import Database
from infra.gateways.credit_limits import CreditLimits
from infra.gateways.money_audit import MoneyAudit
from infra.gateways.stock_reading import StockReader


async def stock_levels(database: Database, article: str = "") -> list[dict[str, Any]]:
    """All shelves, or those of one article."""
    reader, rows = StockReader(database), list[dict[str, Any]]()
    after = ("", "")
    while page := await reader.levels(article, after, 1000):
        rows += page
        after = (page[-1]["article"], page[-1]["warehouse"])
    return rows


async def disagreements(database: Database) -> list[str]:
    """Every place where stock book, credit book or the books of money contradict their own movements or the deals."""
    found = [str(one) for book in (StockReader(database), CreditLimits(database)) for one in await book.verify()]
    return found + [str(one) for one in (await MoneyAudit(database).verify()).differences]
