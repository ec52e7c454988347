"""Reads a folder of four files as CRM systems export them: accounts, products, sales teams and the sales pipeline.

The shape is that of Maven Analytics' "CRM Sales Opportunities", which is dirty on purpose: names are matched without
regard to spelling, what can be repaired is repaired and told, and the rest is refused with its reason.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cli.exits import CommandFailed, ExitCode
from cli.imports.cells import BadCell, Cells, plain, slug
from cli.imports.maven_accounts import read_accounts
from cli.imports.opportunities import LONGEST_DAYS, Card, Dataset, Item, Opportunity, Outcome
from cli.imports.products import SINCE
from cli.imports.report import Report
from cli.imports.sheets import Row, read_sheet
from infra.stores.people import Person
from models.lifecycle.roles import Role

FILES = ("accounts.csv", "products.csv", "sales_teams.csv", "sales_pipeline.csv")
PIPELINE = (
    "opportunity_id",
    "sales_agent",
    "product",
    "account",
    "deal_stage",
    "engage_date",
    "close_date",
    "close_value",
)
CURRENCY = "USD"
DAYS = ("%d-%m-%y", "%d-%m-%Y", "%d/%m/%y", "%d/%m/%Y", "%d.%m.%Y")
UNASSIGNED = "unassigned"


@dataclass(slots=True)
class _Masters:
    """Who and what the pipeline may name: names without spelling to ids."""

    agents: dict[str, Person] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)
    products: dict[str, Card] = field(default_factory=dict)
    prices: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, Card] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)


def read_folder(folder: Path) -> Dataset:
    """Read the four files. Raises CommandFailed when one is missing or lacks a column."""
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise CommandFailed(ExitCode.NOT_FOUND, f"{folder} has no {', '.join(missing)}")
    masters = _Masters()
    reports = [
        read_accounts(folder / "accounts.csv", CURRENCY, masters.accounts),
        _read_products(folder / "products.csv", masters),
        _read_teams(folder / "sales_teams.csv", masters),
    ]
    report = Report(str(folder / "sales_pipeline.csv"))
    opportunities: list[Opportunity] = []
    taken: dict[str, int] = {}
    for row in read_sheet(folder / "sales_pipeline.csv", PIPELINE, report).rows:
        found = _read_row(row, masters, taken, report)
        if found is not None:
            opportunities.append(found)
    return Dataset(
        opportunities=opportunities,
        reports=[*reports, report],
        people=list(masters.people.values()),
        customers=list({card["id"]: card for card in masters.accounts.values()}.values()),
        articles=list(masters.products.values()),
        prices=[_price(article, price) for article, price in masters.prices.items()],
        stock=_units_sold(opportunities),
        manager_of=masters.managers,
        digest=hashlib.sha256((folder / "sales_pipeline.csv").read_bytes()).hexdigest()[:16],
    )


def _read_products(path: Path, masters: _Masters) -> Report:
    report = Report(str(path))
    for row in read_sheet(path, ("product", "sales_price"), report).rows:
        cells = Cells(row)
        try:
            name = cells.needed("product", 60)
            if plain(name) in masters.products or not slug(name):
                raise BadCell(f"product {name!r} stands there already, or has no letters")
            price = cells.minor("sales_price", CURRENCY)
        except BadCell as bad:
            report.refuse(row.line, row.cells["product"], str(bad))
            continue
        card: Card = {"id": slug(name), "description": name, "series": cells.text("series", 40), "tax_bps": 0}
        masters.products[plain(name)] = {**card, "analogue": "", "active": True}
        masters.prices[card["id"]] = price
        report.repair(row.line, name, cells.repairs)
    report.notes.append("costs are not in the data: articles get a cost of 0, so margins of these deals say nothing")
    return report


def _read_teams(path: Path, masters: _Masters) -> Report:
    report = Report(str(path))
    for row in read_sheet(path, ("sales_agent", "manager", "regional_office"), report).rows:
        cells = Cells(row)
        try:
            name, manager = cells.needed("sales_agent"), cells.text("manager")
            if plain(name) in masters.agents or not slug(name):
                raise BadCell(f"agent {name!r} stands there already, or has no letters")
        except BadCell as bad:
            report.refuse(row.line, row.cells["sales_agent"], str(bad))
            continue
        office = slug(cells.text("regional_office"))[:40] or UNASSIGNED
        if not slug(manager):
            cells.repairs.append("no manager: the commercial director approves")
        else:
            masters.managers[slug(name)] = slug(manager)
            _add_person(masters, manager, Role.HEAD_OF_SALES, office)
        masters.agents[plain(name)] = _add_person(masters, name, Role.ACCOUNT_MANAGER, office)
        report.repair(row.line, name, cells.repairs)
    return report


def _add_person(masters: _Masters, name: str, role: Role, department: str) -> Person:
    known = masters.people.get(slug(name))
    roles = tuple(dict.fromkeys((*(known.roles if known else ()), str(role))))
    person = Person(slug(name), name, roles, known.department if known else department)
    masters.people[person.id] = person
    return person


def _read_row(row: Row, masters: _Masters, taken: dict[str, int], report: Report) -> Opportunity | None:
    cells = Cells(row)
    ref = row.cells["opportunity_id"]
    try:
        found = _opportunity(cells, masters)
        if found.ref in taken:
            raise BadCell(f"opportunity {found.ref} stands on line {taken[found.ref]} already")
    except BadCell as bad:
        report.refuse(row.line, ref, str(bad))
        return None
    taken[found.ref] = row.line
    report.repair(row.line, ref, cells.repairs)
    return found


def _opportunity(cells: Cells, masters: _Masters) -> Opportunity:
    ref = cells.identifier("opportunity_id")
    outcome = Outcome(cells.choice("deal_stage", [str(stage) for stage in Outcome]))
    product = _product(cells, masters)
    days = _days(cells, outcome)
    price = _price_paid(cells, outcome)
    agent = _agent(cells, masters)
    account, is_placeholder = _account(cells, masters, agent)
    return Opportunity(
        line=cells.row.line,
        ref=ref,
        title=f"{product['description']} for {account['name']}"[:300],
        owner=agent.id,
        customer=account["id"],
        currency=CURRENCY,
        items=(Item(product["id"], 1, price),),
        outcome=outcome,
        days=days,
        is_placeholder=is_placeholder,
    )


def _product(cells: Cells, masters: _Masters) -> Card:
    written = cells.needed("product")
    found = masters.products.get(plain(written))
    if found is None:
        raise BadCell(f"product {written[:40]!r} is not in products.csv")
    if found["description"] != written:
        cells.repairs.append(f"product {written!r} read as {found['description']!r}")
    return found


def _agent(cells: Cells, masters: _Masters) -> Person:
    written = cells.needed("sales_agent")
    found = masters.agents.get(plain(written))
    if found is None:
        if not slug(written):
            raise BadCell(f"sales_agent {written[:40]!r} has no letters")
        found = masters.agents[plain(written)] = _add_person(masters, written, Role.ACCOUNT_MANAGER, UNASSIGNED)
    if found.department == UNASSIGNED and found.id not in masters.managers:
        cells.repairs.append(f"agent {found.name!r} is in no sales team: added without a manager")
    elif found.name != written:
        cells.repairs.append(f"sales_agent {written!r} read as {found.name!r}")
    return found


def _account(cells: Cells, masters: _Masters, agent: Person) -> tuple[Card, bool]:
    written = cells.text("account")
    if not written:
        cells.repairs.append("the account is missing: put under the agent's customer 'unknown account'")
        return masters.accounts.setdefault(f"?{agent.id}", _unknown_account(agent)), True
    found = masters.accounts.get(plain(written))
    if found is None:
        if not slug(written):
            raise BadCell(f"account {written[:40]!r} has no letters")
        found = masters.accounts[plain(written)] = _bare_account(written)
    if found.get("source") == "pipeline":
        cells.repairs.append(f"account {found['name']!r} is not in accounts.csv: added with its name alone")
    elif found["name"] != written:
        cells.repairs.append(f"account {written!r} read as {found['name']!r}")
    return found, False


def _unknown_account(agent: Person) -> Card:
    card = _bare_account(f"unknown account ({agent.name})")
    return {**card, "id": f"unknown-account-{agent.id}", "group_id": f"unknown-account-{agent.id}", "owner": agent.id}


def _bare_account(name: str) -> Card:
    return {"id": slug(name), "group_id": slug(name), "name": name, "currency": CURRENCY, "source": "pipeline"}


def _days(cells: Cells, outcome: Outcome) -> int:
    """Days from engagement to close; open opportunities have none."""
    engaged, closed = _day(cells, "engage_date"), _day(cells, "close_date")
    if not outcome.is_closed:
        if closed is not None:
            cells.repairs.append(f"close_date {closed} left out: the opportunity is still {outcome}")
        return 0
    if engaged is None or closed is None:
        raise BadCell(
            f"{outcome} without {'engage_date' if engaged is None else 'close_date'}: its length is not known"
        )
    days = (closed - engaged).days
    if days < 0:
        raise BadCell(f"closed on {closed}, before it was engaged on {engaged}")
    if days > LONGEST_DAYS:
        raise BadCell(f"engaged on {engaged} and closed on {closed}: longer than {LONGEST_DAYS} days")
    return days


def _day(cells: Cells, name: str) -> date | None:
    return cells.day(name, DAYS)


def _price_paid(cells: Cells, outcome: Outcome) -> int:
    """The price of the one unit that was won; the list price where nothing was sold."""
    written = cells.text("close_value")
    if outcome is Outcome.WON:
        return cells.minor("close_value", CURRENCY)
    if written and cells.minor("close_value", CURRENCY, negative=True) != 0:
        cells.repairs.append(f"close_value {written} left out: the opportunity is {outcome}")
    return -1


def _price(article: str, price_minor: int) -> Card:
    return {
        "article_id": article,
        "currency": CURRENCY,
        "price_column": "standard",
        "list_price_minor": price_minor,
        "cost_minor": 0,
        "valid_from": SINCE,
    }


def _units_sold(opportunities: list[Opportunity]) -> dict[str, int]:
    units: dict[str, Any] = {}
    for found in opportunities:
        if found.outcome is Outcome.WON:
            for item in found.items:
                units[item.article] = units.get(item.article, 0) + item.quantity
    return units
