"""What the demo tells of goods: lines that were out of stock, who helped on which rung, and what else befell orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.demo.fates import Solved
from cli.session import Session
from models.deal_state import Deal
from models.instants import DAY, between
from models.parts.order import OrderLine
from models.parts.shortage import Shortage

if TYPE_CHECKING:
    from cli.demo.telling import Told

_OUTCOMES = {"stock": "delivered", "substituted": "replaced by another article", "cancelled": "cancelled"}
_CHOICES = {"wait": "waited for, ", "buy_in": "bought in, ", "production": "made, ", "partial": "in parts, "}


@dataclass(frozen=True, slots=True)
class Rung:
    """Where a line stood on the ladder, and who answered there; empty when nobody did, or nobody had to."""

    name: str
    answered_by: str


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One line that was out of stock: its way along the ladder, what was chosen, and how it ended (empty: not yet)."""

    line: int
    article: str
    ordered: int
    rungs: tuple[Rung, ...]
    choice: str
    outcome: str
    days: int


def shortfalls(deal: Deal) -> tuple[Shortfall, ...]:
    """All lines of a deal that were ever out of stock."""
    lines = deal.order.lines if deal.order else ()
    return tuple(_shortfall(deal, line, line.shortage) for line in lines if line.shortage)


def _shortfall(deal: Deal, line: OrderLine, lasting: Shortage) -> Shortfall:
    end = lasting.settled_at or deal.updated_at
    return Shortfall(
        line=line.line,
        article=line.article,
        ordered=line.ordered,
        rungs=tuple(Rung(visit.rung, visit.answered_by) for visit in lasting.visits),
        choice=lasting.choice,
        outcome=lasting.outcome,
        days=between(lasting.since, end) // DAY,
    )


def unsolved(deal: Deal, wanted: Solved) -> str:
    """Why a deal's shortage was not solved as its story tells; empty when it was."""
    lasting = [line.shortage for line in (deal.order.lines if deal.order else ()) if line.shortage]
    answered = {visit.rung for each in lasting for visit in each.visits if visit.answered_by}
    if wanted.rung not in answered:
        return f"nobody answered on rung {wanted.rung}"
    found = sorted({each.outcome for each in lasting})
    return "" if found == [wanted.outcome] else f"the shortage ended as {', '.join(found)}, not {wanted.outcome}"


def order_events(deal: Deal) -> tuple[str, ...]:
    """Discrepancy acts and amendments of a deal's order, in words."""
    if deal.order is None:
        return ()
    acts = (
        f"act of {act.kind}, {sum(part.quantity for part in act.lines)} units ({act.cause}): {act.measure or 'open'}"
        for act in deal.order.discrepancies
    )
    amendments = (
        f"amendment {asked.number}, {len(asked.changes)} changes: {asked.state}" for asked in deal.order.amendments
    )
    return (*acts, *amendments)


def shortages_table(session: Session, told: Sequence[Told]) -> None:
    """Lines that were out of stock, then what else happened to running orders."""
    rows = [
        (one.deal_id, f"{each.line}: {each.ordered} {each.article}", _way(each), _end(each), each.days)
        for one in told
        for each in one.shortages
    ]
    columns = ("deal", "line", "rungs of the ladder, and who answered", "outcome", "days>")
    session.screen.table("Shortages: goods that were not there", columns, rows)
    session.screen.line("What else befell running orders", "bold")
    for one in told:
        for event in one.events:
            session.screen.line(f"  {one.deal_id}   {event}")
    session.screen.line("")


def _way(one: Shortfall) -> str:
    """Rungs with whoever answered, such as ``tell customer > ask logistics: marta.sokol``."""
    return " > ".join(
        rung.name.replace("_", " ") + (f": {rung.answered_by}" if rung.answered_by else "") for rung in one.rungs
    )


def _end(one: Shortfall) -> str:
    chosen = _CHOICES.get(one.choice, "") if one.outcome == "stock" else ""
    return chosen + _OUTCOMES.get(one.outcome, "still waits")
