"""The accounts of a CRM export as customer cards: sectors, countries and parent companies by name, typos repaired."""

from __future__ import annotations

import difflib
from pathlib import Path

from cli.imports.cells import BadCell, Cells, plain, slug
from cli.imports.countries import BY_NAME, country_code
from cli.imports.opportunities import Card
from cli.imports.report import Report
from cli.imports.sheets import Row, read_sheet

SECTORS = (
    "agriculture", "automotive", "chemicals", "construction", "consulting", "education", "electronics", "employment",
    "energy", "entertainment", "finance", "food", "government", "healthcare", "hospitality", "insurance", "legal",
    "logistics", "manufacturing", "marketing", "media", "medical", "mining", "pharmaceuticals", "real estate", "retail",
    "services", "software", "technology", "telecommunications", "tourism", "transport", "utilities", "wholesale",
)  # fmt: skip
_ALIKE = 0.85


def read_accounts(path: Path, currency: str, accounts: dict[str, Card]) -> Report:
    """Read the file into `accounts`, by name without spelling."""
    report = Report(str(path))
    parents: list[tuple[Row, Card, str]] = []
    for row in read_sheet(path, ("account",), report).rows:
        cells = Cells(row)
        try:
            name = cells.needed("account")
            if plain(name) in accounts or not slug(name):
                raise BadCell(f"account {name[:40]!r} stands there already, or has no letters")
            card = _card(cells, name, currency)
        except BadCell as bad:
            report.refuse(row.line, row.cells["account"], str(bad))
            continue
        accounts[plain(name)] = card
        report.repair(row.line, name, cells.repairs)
        parents.append((row, card, cells.text("subsidiary_of")))
    _join_groups(parents, accounts, report)
    if parents:
        report.notes.append("revenue and employees have no place on a customer card and were left out")
    return report


def _card(cells: Cells, name: str, currency: str) -> Card:
    return {
        "id": slug(name),
        "group_id": slug(name),
        "name": name,
        "currency": currency,
        "segment": _sector(cells),
        "country": _country(cells),
        "founded_on": _founded(cells),
        "source": "import",
    }


def _sector(cells: Cells) -> str:
    written = cells.text("sector", 40).lower()
    near = difflib.get_close_matches(written, SECTORS, n=1, cutoff=_ALIKE) if written else []
    if near and near[0] != written:
        cells.repairs.append(f"sector {written!r} read as {near[0]!r}")
        return near[0]
    return written


def _country(cells: Cells) -> str:
    written = cells.text("office_location", 60)
    code = country_code(written)
    if written and not code:
        cells.repairs.append(f"office_location {written!r} is no known country: left out")
    elif written and plain(written) not in BY_NAME and written != code:
        cells.repairs.append(f"office_location {written!r} read as {code}")
    return code


def _founded(cells: Cells) -> str:
    if not cells.text("year_established"):
        return ""
    try:
        return f"{cells.whole('year_established', 1000, 2100)}-01-01"
    except BadCell as bad:
        cells.repairs.append(f"{bad}: left out")
        return ""


def _join_groups(parents: list[tuple[Row, Card, str]], accounts: dict[str, Card], report: Report) -> None:
    """Subsidiaries share the credit group of their parent, and it that of its own."""
    for row, card, parent in parents:
        found = accounts.get(plain(parent)) if parent else None
        if parent and found is None:
            report.repair(row.line, card["name"], [f"subsidiary_of {parent!r} is not in the file: a group of its own"])
        elif found is not None and found is not card:
            card["group_id"] = found["id"]
    by_id = {card["id"]: card for _, card, _ in parents}
    for _, card, _ in parents:
        seen = {card["id"]}
        while (above := by_id.get(card["group_id"])) and above["group_id"] not in seen | {card["group_id"]}:
            seen.add(card["group_id"])
            card["group_id"] = above["group_id"]
