"""Customer cards from CSV: strict rows, countries by name or code, balance sheets in major units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli.imports.cells import BadCell, Cells
from cli.imports.countries import country_in
from cli.imports.report import Report
from cli.imports.sheets import Row, read_sheet
from infra.db import Database
from infra.gateways.identity import iban_ok, lei_ok, registration_ok, vat_ok
from infra.privacy.vault import PersonErased, Vault
from infra.stores.customers import CustomerStore
from models.money import MAX_MINOR
from models.visibility import EVERYTHING

REQUIRED = ("id", "name", "currency")
FIGURES = ("working_capital", "retained_earnings", "ebit", "equity", "total_assets", "total_liabilities")
LANGUAGES = ("en", "de", "it", "ro", "ru", "id")
_CONTACT = ("contact_name", "contact_role", "contact_email", "contact_phone")
_PLAIN = {"group_id": 80, "segment": 40, "source": 40, "competitor": 300, "price_column": 40, "registration_id": 40}

Card = dict[str, Any]


async def import_customers(database: Database, path: Path, at: str, owners: frozenset[str], vault: Vault) -> Report:
    """Add new customers and bring changed ones up to date; `owners` are the users who may own one. A contact whose data
    was erased on request does not come back with an old file."""
    report = Report(str(path))
    cards: dict[str, tuple[Row, Card, Card]] = {}
    for row in read_sheet(path, REQUIRED, report).rows:
        ref = row.cells["id"]
        cells = Cells(row)
        try:
            card, contact = _card(cells, owners)
            if card["id"] in cards:
                raise BadCell(f"the id stands on line {cards[card['id']][0].line} already")
        except BadCell as bad:
            report.refuse(row.line, ref, str(bad))
            continue
        cards[card["id"]] = (row, card, contact)
        report.repair(row.line, ref, cells.repairs)
        for doubt in _doubts(card):
            report.remark(row.line, ref, doubt)
    await _store(CustomerStore(database, vault), cards, at, report)
    return report


async def _store(store: CustomerStore, cards: dict[str, tuple[Row, Card, Card]], at: str, report: Report) -> None:
    standing = await all_cards(store)
    changed = [card for _, card, _ in cards.values() if not _stands(standing.get(card["id"]), card)]
    report.unchanged = len(cards) - len(changed)
    await store.put_many(changed, at)
    for identifier, (row, _, contact) in cards.items():
        try:
            if contact:
                await store.put_contacts(identifier, [contact], at)
        except PersonErased:
            report.remark(row.line, identifier, "the contact was left out: its personal data was erased on request")


async def all_cards(store: CustomerStore) -> dict[str, Card]:
    """Every card that stands, by id."""
    found: dict[str, Card] = {}
    cursor = ""
    while True:
        page = await store.page(EVERYTHING, cursor=cursor, limit=200)
        found |= {row["id"]: row for row in page.rows}
        cursor = page.next_cursor
        if not cursor:
            return found


def _stands(there: Card | None, card: Card) -> bool:
    return there is not None and all(there[name] == value for name, value in card.items())


def _card(cells: Cells, owners: frozenset[str]) -> tuple[Card, Card]:
    identifier, currency = cells.identifier("id"), cells.currency("currency")
    card: Card = {"id": identifier, "name": cells.needed("name"), "currency": currency}
    card |= {name: value for name, most in _PLAIN.items() if (value := cells.text(name, most))}
    card["group_id"] = card.get("group_id", identifier)
    card |= {name: "".join(cells.text(name, 60).split()).upper() for name in ("vat_id", "iban", "lei")}
    card["owner"] = _owner(cells, owners)
    card["country"] = country_in(cells)
    card["language"] = cells.choice("language", LANGUAGES, default="en")
    founded = cells.day("founded_on")
    card["founded_on"] = founded.isoformat() if founded else ""
    card["blocked"] = cells.yes("blocked")
    card["financials"] = _financials(cells, currency)
    return card, _contact(cells, identifier)


def _owner(cells: Cells, owners: frozenset[str]) -> str:
    owner = cells.text("owner", 80)
    if owner and owner not in owners:
        cells.repairs.append(f"owner {owner!r} is no user: left without an owner; import users, then this file again")
        return ""
    return owner


def _financials(cells: Cells, currency: str) -> dict[str, int] | None:
    given = [name for name in FIGURES if cells.text(name)]
    if not given:
        return None
    if missing := [name for name in FIGURES if name not in given]:
        raise BadCell(f"the balance sheet lacks {', '.join(missing)}")
    return {f"{name}_minor": cells.minor(name, currency, MAX_MINOR, negative=True) for name in FIGURES}


def _contact(cells: Cells, customer: str) -> Card:
    given = {name: cells.text(name, 40 if name == "contact_phone" else 300) for name in _CONTACT}
    if not given["contact_name"]:
        return {}
    contact: Card = {name.removeprefix("contact_"): value for name, value in given.items()}
    return {**contact, "id": f"{customer}-1", "role": contact["role"][:40] or "buyer"}


def _doubts(card: Card) -> list[str]:
    """Numbers that are formally wrong: the reliability check will count them, so the card is taken as it is."""
    country = card["country"]
    registration = card.get("registration_id", "")
    checks = (
        ("vat_id", card["vat_id"], lambda number: vat_ok(number, country)),
        ("iban", card["iban"], iban_ok),
        ("lei", card["lei"], lei_ok),
        ("registration_id", registration, lambda number: registration_ok(number, country)),
    )
    return [f"{name} {number} is formally wrong" for name, number, is_ok in checks if number and not is_ok(number)]
