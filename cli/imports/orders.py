"""Reads a file of order lines with the columns of UCI "Online Retail" into orders, one per invoice, and returns.

Every row becomes units of an order line, a return of such units, or is refused with its reason.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cli.exits import CommandFailed, ExitCode
from cli.imports.cells import BadCell, Cells
from cli.imports.countries import country_code
from cli.imports.report import Report
from cli.imports.sheets import read_sheet
from models.policy import DEFAULT

CURRENCY = "GBP"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
SERVICES = frozenset({"POST", "DOT", "C2"})
"""Codes of postage and carriage: ordered and delivered like goods, but never out of stock."""
BOOKINGS = frozenset({"ADJUST2", "TEST001", "TEST002"})
"""Codes with a digit that are no goods all the same; every code without one that is no service is a booking, too."""
MOST_UNITS = 10**7

_INVOICE = re.compile(r"(?P<kind>[A-Z]?)(?P<number>\d{1,12})(\.0+)?")
_CUSTOMER = re.compile(r"(?P<number>[A-Za-z0-9-]{1,40})(\.0+)?")
_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S")
_COUNTRIES = {"EIRE": "IE", "RSA": "ZA", "USA": "US"}
_DESIGN = re.compile(r"(\d{5})[A-Z]+")


@dataclass(frozen=True, slots=True)
class Sold:
    """One line of an order: `number` in the order, `turn` counts the lines of the whole file. `lines` are the file's
    lines that it was merged from: same article, same price (minor units)."""

    number: int
    turn: int
    article: str
    quantity: int
    unit_price_minor: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SalesOrder:
    """One invoice; `at` is its first line's time, local as in the file. An empty customer is the file's walk-in one."""

    invoice: str
    at: str
    customer: str
    items: tuple[Sold, ...]

    @property
    def ref(self) -> str:
        """What its deal is known by: importing it again finds that deal."""
        return f"orders:{self.invoice}"


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Units of an order's line that the customer gave back later."""

    line: int
    cancellation: str
    invoice: str
    number: int
    quantity: int

    @property
    def note(self) -> str:
        """What the acts about it say, so that nothing is taken back twice."""
        return f"{self.cancellation}, line {self.line} of the file"


@dataclass(slots=True)
class OrderFile:
    """All that a file of order lines holds; orders stand in the order of their time."""

    orders: list[SalesOrder]
    returns: list[GivenBack]
    report: Report
    digest: str
    descriptions: dict[str, str] = field(default_factory=dict)
    countries: dict[str, str] = field(default_factory=dict)

    def analogues(self) -> dict[str, str]:
        """Variants of one design (the same five digits, another letter) stand in for each other, in a ring."""
        designs: defaultdict[str, list[str]] = defaultdict(list)
        for article in sorted({item.article for order in self.orders for item in order.items}):
            if found := _DESIGN.fullmatch(article):
                designs[found[1]].append(article)
        rings = [ring for ring in designs.values() if len(ring) > 1]
        return {one: following for ring in rings for one, following in zip(ring, (*ring[1:], ring[0]), strict=True)}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One readable row. A negative quantity is a return."""

    line: int
    invoice: str
    is_cancellation: bool
    article: str
    quantity: int
    at: str
    price_minor: int
    customer: str


def read_orders(path: Path) -> OrderFile:
    """Read a file. Raises CommandFailed when it is no such file or has other columns."""
    report = Report(str(path))
    sheet = read_sheet(path, (name.lower() for name in COLUMNS), report)
    others = [name or "(no name)" for name in sheet.columns if name not in {known.lower() for known in COLUMNS}]
    if others:
        advice = f"an order file has these columns and no others: {', '.join(COLUMNS)}"
        raise CommandFailed(
            ExitCode.BAD_DATA, f"{path} has the columns {', '.join(others)}, which nobody knows", advice
        )
    file = OrderFile([], [], report, hashlib.sha256(path.read_bytes()).hexdigest()[:16])
    sold: defaultdict[str, list[_Entry]] = defaultdict(list)
    back: list[_Entry] = []
    for row in sheet.rows:
        cells = Cells(row)
        try:
            entry = _entry(cells)
            first = sold[entry.invoice][0] if sold.get(entry.invoice) else entry
            if entry.quantity > 0 and first.customer != entry.customer:
                raise BadCell(f"line {first.line} of the same invoice has another customer")
        except BadCell as bad:
            report.refuse(row.line, row.cells["invoiceno"], str(bad))
            continue
        report.repair(row.line, entry.invoice, cells.repairs)
        if entry.quantity > 0:
            sold[entry.invoice].append(entry)
            _learn(file, cells, entry)
        else:
            back.append(entry)
    file.orders = _orders(sold, report)
    file.returns = _returns(back, file.orders, report)
    return file


def _entry(cells: Cells) -> _Entry:
    written = cells.needed("invoiceno", 40)
    found = _INVOICE.fullmatch(written.upper())
    if found is None or found["kind"] not in ("", "C"):
        raise BadCell(f"InvoiceNo {written[:40]!r} is neither a number nor a cancellation such as C541433")
    is_cancellation = found["kind"] == "C"
    quantity = cells.whole("quantity", -MOST_UNITS, MOST_UNITS)
    if quantity == 0:
        raise BadCell("Quantity is 0: nothing was ordered")
    if is_cancellation and quantity > 0:
        raise BadCell("a cancellation of a positive quantity: nobody can say what is meant")
    price = cells.minor("unitprice", CURRENCY)
    if price == 0:
        raise BadCell("UnitPrice is 0: goods without a price are a correction of stock, not an order")
    customer = cells.text("customerid", 60)
    if customer and not (known := _CUSTOMER.fullmatch(customer)):
        raise BadCell(f"CustomerID {customer[:40]!r} is no number")
    number = known["number"] if customer and known else ""
    if not number:
        cells.repairs.append("CustomerID is missing: put under the file's walk-in customer")
    article, at = _article(cells), _time(cells)
    return _Entry(
        cells.row.line, f"{found['kind']}{found['number']}", is_cancellation, article, quantity, at, price, number
    )


def _article(cells: Cells) -> str:
    """The code in capitals. Raises BadCell for codes that are a booking and no goods."""
    written = cells.needed("stockcode", 64)
    code = written.upper()
    if code in SERVICES:
        return code
    if code in BOOKINGS or not any(character.isdigit() for character in code):
        raise BadCell(f"StockCode {code[:40]} is a booking, neither goods nor postage")
    cells.row.cells["stockcode"] = code
    if written != code:
        cells.repairs.append(f"StockCode {written!r} read as {code}")
    return cells.identifier("stockcode")


def _time(cells: Cells) -> str:
    written = cells.needed("invoicedate", 40)
    for form in _TIMES:
        try:
            return datetime.strptime(written, form).isoformat()  # noqa: DTZ007  # local time of a shop that we don't know
        except ValueError:
            continue
    raise BadCell(f"InvoiceDate {written!r} is no time such as 2011-01-18 08:43:00")


def _learn(file: OrderFile, cells: Cells, entry: _Entry) -> None:
    """What a good row says about its article and its customer; the first that says something counts."""
    if description := cells.text("description"):
        file.descriptions.setdefault(entry.article, description)
    written = cells.text("country", 60)
    code = _COUNTRIES.get(written.upper()) or country_code(written)
    file.countries.setdefault(entry.customer, code)
    if written and not code:
        file.report.remark(entry.line, entry.invoice, f"country {written!r} is not known: left out")


def _orders(sold: dict[str, list[_Entry]], report: Report) -> list[SalesOrder]:
    orders = []
    for invoice, entries in sold.items():
        items = _merged(entries)
        if len(items) > DEFAULT.lines_max:
            for entry in entries:
                report.refuse(entry.line, invoice, f"the invoice has more than {DEFAULT.lines_max} lines: split it")
        elif entries:
            for item in items:
                first, *others = item.lines
                for line in others:
                    report.repair(line, invoice, [f"merged with line {first}: same article and price"])
            orders.append(SalesOrder(invoice, min(entry.at for entry in entries), entries[0].customer, tuple(items)))
    orders.sort(key=lambda order: (order.at, order.invoice))
    numbered, turn = list[SalesOrder](), 0
    for order in orders:
        items = [replace(item, turn=turn + place) for place, item in enumerate(order.items)]
        turn += len(items)
        numbered.append(replace(order, items=tuple(items)))
    return numbered


def _merged(entries: Iterable[_Entry]) -> list[Sold]:
    """Order lines, numbered from 1: rows with the same article and price are one line, another price is another."""
    items: dict[tuple[str, int], Sold] = {}
    for entry in entries:
        key = (entry.article, entry.price_minor)
        if (there := items.get(key)) is not None:
            items[key] = replace(there, quantity=there.quantity + entry.quantity, lines=(*there.lines, entry.line))
        else:
            items[key] = Sold(len(items) + 1, 0, *key[:1], entry.quantity, entry.price_minor, (entry.line,))
    return list(items.values())


def _returns(back: list[_Entry], orders: list[SalesOrder], report: Report) -> list[GivenBack]:
    """Each return belongs to the first earlier line of its customer and article that has so many units left."""
    lines: defaultdict[tuple[str, str], list[tuple[SalesOrder, Sold]]] = defaultdict(list)
    for order in orders:
        for item in order.items:
            lines[order.customer, item.article].append((order, item))
    left = {(order.invoice, item.number): item.quantity for order in orders for item in order.items}
    found = []
    for entry in back:
        units, reason = -entry.quantity, ""
        places = [
            (order, item)
            for order, item in lines[entry.customer, entry.article]
            if order.at <= entry.at and left[order.invoice, item.number] >= units
        ]
        if not entry.customer:
            reason = "a return of an unknown customer: nobody can say from which order"
        elif not places:
            reason = f"a return of {units} that no earlier order line of this customer and article in the file covers"
        if reason:
            report.refuse(entry.line, entry.invoice, reason)
            continue
        order, item = places[0]
        left[order.invoice, item.number] -= units
        found.append(GivenBack(entry.line, entry.invoice, order.invoice, item.number, units))
    return found
