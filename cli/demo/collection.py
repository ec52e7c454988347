"""What the demo tells of money: invoices that were late, disputed or promised, the ladder, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from cli.session import Session
from models.deal_state import Deal
from models.money import show
from models.parts.receivable import Receivable
from models.policy import DEFAULT

if TYPE_CHECKING:
    from cli.demo.telling import Told

_LETTERS = {rung.action: rung.letter for rung in DEFAULT.ladder if rung.letter and rung.letter != "pre_due_notice"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One invoice that did not simply get paid: its amount, letters, what happened besides, and how it ended."""

    invoice: str
    amount: str
    letters: tuple[str, ...]
    besides: tuple[str, ...]
    state: str
    days_late: int


def troubles(deal: Deal) -> tuple[Trouble, ...]:
    """The invoices of a deal with letters, disputes, promises, plans or interest."""
    found = (_trouble(owed) for owed in deal.receivables)
    return tuple(each for each in found if each.letters or each.besides)


def _trouble(owed: Receivable) -> Trouble:
    letters = tuple(_LETTERS[each.rung] for each in owed.reached if each.rung in _LETTERS)
    end = (owed.settled_at or owed.due_at)[:10]
    return Trouble(
        invoice=owed.number,
        amount=show(owed.total_minor, owed.currency),
        letters=tuple(name.replace("_", " ") for name in letters),
        besides=tuple(_besides(owed)),
        state=owed.state,
        days_late=_days(owed.due_at[:10], end),
    )


def _besides(owed: Receivable) -> list[str]:
    lines = [f"{show(each.amount_minor, owed.currency)} disputed: {each.outcome or 'open'}" for each in owed.disputes]
    lines += [f"promise {each.outcome or 'open'}" for each in owed.promises]
    lines += [f"{len(plan.instalments)} instalments {plan.outcome or 'running'}" for plan in owed.plans]
    if owed.charged_for:
        lines.append(f"interest and lump sum of {owed.charged_for}")
    if owed.waived_minor:
        lines.append(f"{show(owed.waived_minor, owed.currency)} of interest waived")
    return lines


def collection_table(session: Session, told: Sequence[Told]) -> None:
    """Invoices that were late, disputed or promised."""
    rows = [
        (one.deal_id, each.invoice, each.amount, ", ".join(each.letters), "; ".join(each.besides),
         each.days_late, each.state.replace("_", " "))
        for one in told
        for each in one.troubles
    ]  # fmt: skip
    columns = ("deal", "invoice", "amount>", "letters", "what happened besides", "days late>", "ended as")
    session.screen.table("Receivables that asked for work", columns, rows)


def _days(due: str, end: str) -> int:
    return max(0, (date.fromisoformat(end) - date.fromisoformat(due)).days)
