"""Sales opportunities as an import knows them, whatever file they came from, and our own file of them.

Every opportunity becomes one test deal, and its outcome is the fate that the deal is driven to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from cli.imports.cells import BadCell, Cells
from cli.imports.report import Report
from cli.imports.sheets import read_sheet
from infra.stores.people import Person
from models.lifecycle.roles import SALES, Role
from models.stages.prospecting import LossReason

REQUIRED = ("opportunity_id", "title", "customer", "owner", "lines", "stage")
LONGEST_DAYS = 3_650
_LINE = re.compile(r"\s*(?P<article>\S+)\s+x\s+(?P<quantity>\d{1,7})(?:\s+@\s+(?P<price>\S+))?\s*", re.IGNORECASE)

Card = dict[str, Any]


class Outcome(StrEnum):
    """What became of an opportunity."""

    PROSPECTING = "Prospecting"
    ENGAGING = "Engaging"
    LOST = "Lost"
    WON = "Won"

    @property
    def is_closed(self) -> bool:
        """True when it has a last day."""
        return self in (Outcome.LOST, Outcome.WON)


@dataclass(frozen=True, slots=True)
class Item:
    """One line to offer; a unit price of -1 is the list price."""

    article: str
    quantity: int = 1
    unit_price_minor: int = -1


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One row. `days` from first contact to its end (0 while open); `is_placeholder`: the customer isn't known."""

    line: int
    ref: str
    title: str
    owner: str
    customer: str
    currency: str
    items: tuple[Item, ...]
    outcome: Outcome
    days: int = 0
    branch: str = ""
    is_placeholder: bool = False
    loss_reason: str = LossReason.OTHER.value
    competitor: str = ""
    fate: str = ""
    first_contact_day: int = 0


@dataclass(slots=True)
class Dataset:
    """Everything that files of opportunities hold: the rows, and the people, customers and articles they are about."""

    opportunities: list[Opportunity]
    reports: list[Report]
    people: list[Person] = field(default_factory=list)
    customers: list[Card] = field(default_factory=list)
    articles: list[Card] = field(default_factory=list)
    prices: list[Card] = field(default_factory=list)
    stock: dict[str, int] = field(default_factory=dict)
    manager_of: dict[str, str] = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What our own file may name, as it stands in the data folder."""

    people: Mapping[str, Person]
    customers: Mapping[str, Card]
    articles: Mapping[str, Card]
    branches: frozenset[str]


def read_opportunities(path: Path, known: Known) -> Dataset:
    """Read our own file; customers, articles and users must have been imported before."""
    report = Report(str(path))
    taken: dict[str, int] = {}
    opportunities = []
    for row in read_sheet(path, REQUIRED, report).rows:
        cells = Cells(row)
        ref = row.cells["opportunity_id"]
        try:
            found = _opportunity(cells, known)
            if found.ref in taken:
                raise BadCell(f"the opportunity stands on line {taken[found.ref]} already")
        except BadCell as bad:
            report.refuse(row.line, ref, str(bad))
            continue
        taken[found.ref] = row.line
        opportunities.append(found)
        report.repair(row.line, ref, cells.repairs)
    return Dataset(opportunities, [report], manager_of=_managers(known))


def _opportunity(cells: Cells, known: Known) -> Opportunity:
    customer = known.customers.get(cells.needed("customer"))
    if customer is None:
        raise BadCell(f"there is no customer {cells.text('customer')[:40]!r}: import customers first")
    owner = known.people.get(cells.needed("owner"))
    if owner is None or not owner.held_roles & SALES:
        raise BadCell(f"owner {cells.text('owner')[:40]!r} is no account manager")
    branch = cells.text("branch", 40)
    if branch and branch not in known.branches:
        raise BadCell(f"there is no warehouse {branch!r}: import stock first")
    currency = cells.currency("currency", default=customer["currency"])
    outcome = Outcome(cells.choice("stage", [str(stage) for stage in Outcome]))
    days = _number(cells, "days")
    return Opportunity(
        line=cells.row.line,
        ref=cells.identifier("opportunity_id"),
        title=cells.needed("title"),
        owner=owner.id,
        customer=customer["id"],
        currency=currency,
        items=_items(cells, known, currency),
        outcome=outcome,
        days=days if outcome.is_closed else 0,
        branch=branch,
        loss_reason=cells.choice("loss_reason", [str(reason) for reason in LossReason], default=LossReason.OTHER),
        competitor=cells.text("competitor"),
        fate=cells.text("fate", 40),
        first_contact_day=_number(cells, "first_contact_day"),
    )


def _number(cells: Cells, name: str) -> int:
    return cells.whole(name, 0, LONGEST_DAYS) if cells.text(name) else 0


def _items(cells: Cells, known: Known, currency: str) -> tuple[Item, ...]:
    """Lines are written ``PUMP-100 x 4 @ 1250.00; SEAL-8 x 20``; without a price the list's holds."""
    items = []
    for part in filter(str.strip, cells.needed("lines", 2000).split(";")):
        found = _LINE.fullmatch(part)
        if found is None:
            raise BadCell(f"lines: {part.strip()[:40]!r} is not like ARTICLE x 4 @ 12.50")
        article = known.articles.get(found["article"])
        if article is None:
            raise BadCell(f"there is no article {found['article'][:40]!r}: import products first")
        if not any(price["currency"] == currency for price in article.get("prices", ())):
            raise BadCell(f"article {article['id']} has no price in {currency}")
        price = -1
        if found["price"]:
            cells.row.cells["unit price"] = found["price"]
            price = cells.minor("unit price", currency)
        if int(found["quantity"]) < 1:
            raise BadCell(f"lines: the quantity of {article['id']} must be at least 1")
        items.append(Item(article["id"], int(found["quantity"]), price))
    return tuple(items)


def _managers(known: Known) -> dict[str, str]:
    """Each user's head of sales: the first of the department."""
    heads: dict[str, str] = {}
    for person in known.people.values():
        if Role.HEAD_OF_SALES in person.held_roles:
            heads.setdefault(person.department, person.id)
    return {person.id: heads[person.department] for person in known.people.values() if person.department in heads}
