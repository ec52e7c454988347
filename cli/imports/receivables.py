"""Reads a file of invoices with the columns of the published factoring sample "Accounts Receivable": what customers of
an earlier system were asked to pay, whether they disputed it, and when they paid. A row that can't be is refused.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from cli.imports.cells import BadCell, Cells
from cli.imports.countries import country_code
from cli.imports.report import Report
from cli.imports.sheets import read_sheet
from models.stages.accounts import BringInvoice

COLUMNS = ("customerID", "invoiceNumber", "InvoiceDate", "DueDate", "InvoiceAmount", "Disputed", "SettledDate")
CURRENCY = "USD"

_DAYS = ("%m/%d/%Y",)


@dataclass(frozen=True, slots=True)
class OldInvoice:
    """One invoice of the earlier system. `settled` is None for one that was still open when the file was written."""

    line: int
    number: str
    amount_minor: int
    issued: date
    due: date
    disputed: bool
    settled: date | None

    @property
    def days(self) -> tuple[date, ...]:
        """Every day that the row names."""
        return (self.issued, self.due, *([self.settled] if self.settled else []))


@dataclass(frozen=True, slots=True)
class OldAccount:
    """All invoices of one customer, in the order of their days."""

    customer: str
    invoices: tuple[OldInvoice, ...]

    @property
    def ref(self) -> str:
        """What its deal is known by: importing it again finds that deal."""
        return f"receivables:{self.customer}"


@dataclass(slots=True)
class ReceivableFile:
    """All that such a file holds; accounts stand in the order of their customers."""

    accounts: list[OldAccount]
    report: Report
    digest: str
    currency: str
    countries: dict[str, str] = field(default_factory=dict)

    @property
    def days(self) -> list[date]:
        """Every day that a good row names."""
        return [day for account in self.accounts for owed in account.invoices for day in owed.days]


def read_receivables(path: Path, currency: str = CURRENCY) -> ReceivableFile:
    """Read a file. Raises CommandFailed when it is no such file or lacks a column."""
    report = Report(str(path))
    sheet = read_sheet(path, (name.lower() for name in COLUMNS), report)
    file = ReceivableFile([], report, hashlib.sha256(path.read_bytes()).hexdigest()[:16], currency)
    invoices: defaultdict[str, list[OldInvoice]] = defaultdict(list)
    lines: dict[str, int] = {}
    for row in sheet.rows:
        cells = Cells(row)
        try:
            customer, owed = cells.identifier("customerid"), _invoice(cells, currency)
            if owed.number in lines:
                raise BadCell(f"the invoice stands on line {lines[owed.number]} already")
        except BadCell as bad:
            report.refuse(row.line, row.cells["invoicenumber"], str(bad))
            continue
        lines[owed.number] = owed.line
        invoices[customer].append(owed)
        report.repair(row.line, owed.number, cells.repairs)
        file.countries.setdefault(customer, country_code(cells.text("countrycode", 60)))
        if owed.settled is None:
            report.remark(row.line, owed.number, "SettledDate is missing: the invoice stays open")
    file.accounts = [
        OldAccount(customer, tuple(sorted(found, key=lambda owed: (owed.issued, owed.line))))
        for customer, found in sorted(invoices.items())
    ]
    return file


def _invoice(cells: Cells, currency: str) -> OldInvoice:
    number = cells.needed("invoicenumber", 60)
    issued, due = _day(cells, "invoicedate", "InvoiceDate"), _day(cells, "duedate", "DueDate")
    amount = cells.minor("invoiceamount", currency)
    settled = cells.day("settleddate", _DAYS)
    if settled is not None and settled < issued:
        raise BadCell("SettledDate is before InvoiceDate: paid before it was asked for")
    try:
        BringInvoice(number, amount, issued.isoformat(), due.isoformat())
    except ValueError as wrong:
        raise BadCell(str(wrong)) from None
    return OldInvoice(cells.row.line, number, amount, issued, due, cells.yes("disputed"), settled)


def _day(cells: Cells, name: str, shown: str) -> date:
    found = cells.day(name, _DAYS)
    if found is None:
        raise BadCell(f"{shown} is missing")
    return found
