"""docs/lifecycle.md: the transition tables with diagrams, guards, deadlines and roles, read off `models.lifecycle`."""

from __future__ import annotations

from models.lifecycle import render
from models.lifecycle.machines import TABLES
from models.lifecycle.table import Table
from models.policy import DEFAULT

_INTRODUCTION = f"""\
# The lifecycle

What may happen to a deal, and who may do it. The tables in `models/lifecycle/` are the only source: the engine decides
by them, the API lists the allowed actions from them (`GET /v1/lifecycle`), the tests try every state with every action,
and this page is written from them. Numbers are those of the default policy, version {DEFAULT.version}
(`models/policy.py`); every deal keeps the version it started with.

A refused act names every condition that fails at once, the value found, and who can change that.
"""

_TITLES = {
    "deal": (
        "The deal",
        "One per customer contact that may become business, from the first call to paid and supported.",
    ),
    "order_line": ("The order line", "One per article of an order. Its moves follow from acts on the deal."),
    "receivable": ("The receivable", "One per invoice. Its levels are the rungs of the collection ladder."),
    "complaint": ("The complaint", "One per case that a customer opens after a delivery."),
    "approval": ("The approval", "One per request for what exceeds somebody's authority. It binds to a hash."),
    "shipment": (
        "The shipment",
        "One per load that leaves. Carriers tell how far it is, twice, late or out of order; its end is told once.",
    ),
    "discrepancy": ("The discrepancy act", "One per finding of goods that are not as ordered, or that came back."),
    "amendment": ("The amendment", "One per request to change a running order. One waits at a time."),
}


def lifecycle_page() -> str:
    """The page's text."""
    deal, *parts = TABLES
    sections = [
        _INTRODUCTION.rstrip(),
        _section(deal),
        "### Deadlines of its states\n\nA deal always waits for somebody; when a state lasts too long, it says so.",
        render.deadlines(DEFAULT),
        "### Who may do what\n\n`system` is the engine itself: timers, and answers of the departments.",
        render.role_matrix(deal),
        *(text for table in parts for text in _part(table)),
        "## Guards\n\nThe conditions that the rows name.",
        render.guard_sections(deal),
    ]
    return "\n\n".join(sections) + "\n"


def _section(table: Table) -> str:
    title, about = _TITLES[table.name]
    return f"## {title}\n\n{about}\n\n{render.markdown(table)}"


def _part(table: Table) -> list[str]:
    ladder = "The collection ladder works on what is open and not disputed:"
    return [_section(table), *([ladder, render.ladder(DEFAULT)] if table.name == "receivable" else [])]
