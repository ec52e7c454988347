"""What a customer may cost us, by kind (D10): accepted offers, confirmed goods, invoices not due, overdue, disputed."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from models.deal_state import Deal
from models.lifecycle.states import DealState, Stage
from models.parts.receivable import Receivable
from models.stages.accruing import INTEREST

UNCONFIRMED = DealState.of(Stage.CONTRACT)
"""States in which an accepted offer holds headroom and nothing is ordered yet."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Minor units of one currency. Each amount stands in one kind: what is disputed is neither due nor overdue."""

    accepted_minor: int = 0
    confirmed_minor: int = 0
    not_due_minor: int = 0
    overdue_minor: int = 0
    disputed_minor: int = 0

    @property
    def total_minor(self) -> int:
        """All kinds together."""
        return sum(getattr(self, each.name) for each in fields(self))

    def __add__(self, other: "Exposure") -> "Exposure":
        return Exposure(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def exposure_of(deal: Deal | None, owed: Iterable[Receivable], day: str) -> Exposure:
    """A deal's exposure at the end of a day (ISO date): headroom that it held for what was not invoiced, and its
    invoices as they are known. Prepaid deals hold none."""
    held = _not_invoiced(deal) if deal else 0
    accepted = deal is not None and deal.state in UNCONFIRMED
    found = Exposure(accepted_minor=held) if accepted else Exposure(confirmed_minor=held)
    for each in owed:
        collectable = max(0, each.collectable_minor)
        is_late = each.due_at[:10] < day
        found += Exposure(
            not_due_minor=0 if is_late else collectable,
            overdue_minor=collectable if is_late else 0,
            disputed_minor=max(0, each.disputed_minor),
        )
    return found


def _not_invoiced(deal: Deal) -> int:
    """Headroom is held from acceptance until the money for the goods is here; interest holds none."""
    return max(0, deal.headroom_minor - sum(r.open_minor for r in deal.receivables if r.kind != INTEREST))
