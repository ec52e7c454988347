"""What an order file must come to, reckoned from its rows alone: no engine, no stock book, no code of the import."""

import csv
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVICES = ("POST", "DOT", "C2")
Row = dict[str, Any]


@dataclass
class Line:
    """An order line and what becomes of it. `row` is the first line of the file that it stands on."""

    article: str
    ordered: int
    turn: str = ""
    row: int = 0
    shipped: int = 0
    cancelled: int = 0
    substituted: int = 0
    returned: int = 0
    analogue: str = ""
    replaces: int = 0

    @property
    def short(self) -> int:
        return self.ordered - self.shipped - self.cancelled - self.substituted

    @property
    def units(self) -> tuple[int, int, int, int, int]:
        return (self.ordered, self.shipped, self.returned, self.cancelled, self.substituted)


@dataclass
class Order:
    """An order as it stands in the file."""

    invoice: str
    at: str
    customer: str
    lines: list[Line]


def is_goods(code: str) -> bool:
    return code in SERVICES or any(character.isdigit() for character in code)


def good_rows(path: Path) -> list[Row]:
    """Rows that are sales or returns of goods with a price, with the line of the file that each stands on."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows: list[Row] = [{"line": reader.line_num, **row} for row in reader if row["Country"] is not None]
    for row in rows:
        row["Quantity"], row["StockCode"] = int(row["Quantity"]), row["StockCode"].upper()
        row["Customer"] = row["CustomerID"].removesuffix(".0")
    return [row for row in rows if float(row["UnitPrice"]) > 0 and row["Quantity"] and is_goods(row["StockCode"])]


def orders_in(path: Path) -> list[Order]:
    """One order an invoice, rows of the same article and price merged, in the order of their time."""
    sold: dict[str, list[Row]] = {}
    for row in good_rows(path):
        if row["InvoiceNo"].isdigit() and row["Quantity"] > 0:
            sold.setdefault(row["InvoiceNo"], []).append(row)
    orders = []
    for invoice, rows in sold.items():
        merged: dict[tuple[str, str], Line] = {}
        for row in rows:
            line = merged.setdefault((row["StockCode"], row["UnitPrice"]), Line(row["StockCode"], 0, row=row["line"]))
            line.ordered += row["Quantity"]
        at = min(row["InvoiceDate"] for row in rows)
        orders.append(Order(invoice, at, rows[0]["Customer"], list(merged.values())))
    orders.sort(key=lambda order: (order.at, order.invoice))
    numbered = [line for order in orders for line in order.lines]
    for number, line in enumerate(numbered):
        line.turn = "ladder" if number % 25 == 24 else ("analogue", "restock", "partial", "cancel")[number % 4]
    return orders


def demand_of(orders: list[Order]) -> Counter[str]:
    units: Counter[str] = Counter()
    for order in orders:
        for line in order.lines:
            units[line.article] += line.ordered
    return units


def reckon(path: Path, share: int = 80, limit: int = 0) -> tuple[list[Order], Counter[str]]:
    """The orders with what becomes of every line, and the units that come in after the opening, per article."""
    orders = orders_in(path)
    variants = variants_of(orders)
    orders = orders[:limit] if limit else orders
    free = Counter({a: n if a in SERVICES else n * share // 100 for a, n in demand_of(orders).items()})
    received: Counter[str] = Counter()
    for order in orders:
        _reserve(order, free, variants)
        _serve(order, free, received)
    _take_back(path, orders)
    return orders, received


def variants_of(orders: list[Order]) -> dict[str, str]:
    """Codes of the same five digits and another letter, each followed by the next, the last by the first."""
    designs: defaultdict[str, list[str]] = defaultdict(list)
    for article in sorted(demand_of(orders)):
        if re.fullmatch(r"\d{5}[A-Z]+", article):
            designs[article[:5]].append(article)
    return {
        one: codes[(place + 1) % len(codes)]
        for codes in designs.values() if len(codes) > 1
        for place, one in enumerate(codes)
    }  # fmt: skip


def _reserve(order: Order, free: Counter[str], variants: dict[str, str]) -> None:
    for line in order.lines:
        line.shipped = min(line.ordered, free[line.article])
        free[line.article] -= line.shipped
    for line in order.lines:
        other = variants.get(line.article, "")
        line.analogue = other if other and line.short and free[other] >= line.short else ""


def _serve(order: Order, free: Counter[str], received: Counter[str]) -> None:
    waiting = []
    for number, line in enumerate(list(order.lines), start=1):
        if line.turn == "analogue" and line.analogue and line.short:
            wanted = line.short
            line.substituted = wanted
            shipped = min(wanted, free[line.analogue])
            free[line.analogue] -= shipped
            order.lines.append(
                Line(line.analogue, wanted, shipped=shipped, cancelled=wanted - shipped, replaces=number)
            )
        elif line.turn in ("restock", "ladder"):
            waiting.append(line)
        else:
            line.cancelled = line.short
    promised = {id(line): (line.short + 1) // 2 for line in waiting if line.turn == "restock" and line.short}
    while any(line.short and id(line) in promised for line in waiting):
        lots = {line.article: line for line in reversed(waiting) if line.short and id(line) in promised}
        for article, first in lots.items():
            units = promised.pop(id(first))
            received[article] += units
            for line in (each for each in waiting if each.article == article):
                line.shipped, units = line.shipped + min(units, line.short), units - min(units, line.short)
            first.cancelled = first.short
            free[article] += units
    for line in waiting:
        line.cancelled += line.short


def _take_back(path: Path, orders: list[Order]) -> None:
    left = {id(line): line.ordered for order in orders for line in order.lines if not line.replaces}
    for row in good_rows(path):
        if row["Quantity"] > 0 or not row["Customer"]:
            continue
        units = -row["Quantity"]
        places = [
            line
            for order in orders if (order.customer, True) == (row["Customer"], order.at <= row["InvoiceDate"])
            for line in order.lines if line.article == row["StockCode"] and left.get(id(line), 0) >= units
        ]  # fmt: skip
        if places:
            left[id(places[0])] -= units
            back = min(units, places[0].shipped)
            places[0].shipped, places[0].returned = places[0].shipped - back, places[0].returned + back
