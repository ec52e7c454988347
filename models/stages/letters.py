"""Letters about receivables: what the ladder, promises and disputes tell the customer, with typed facts."""

from dataclasses import dataclass
from datetime import date

from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.parts.receivable import Receivable


@event
@dataclass(frozen=True, slots=True)
class LetterAsked(Event):
    """The customer is written to. `facts` are plain text; a name that ends in `_minor` is an amount in minor units of
    `currency`, one in `_on` a day, one that begins with `days_` a number. Its digest is filed when it is written."""

    tag = "letter_asked"
    kind: str
    facts: dict[str, str]

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("send_letter", {"kind": self.kind, "facts": self.facts}),)


def letter(ctx: Context, kind: str, owed: Receivable, **more: str | int) -> list[Event]:
    """The letter of a kind about an invoice; nothing for an empty kind."""
    if not kind:
        return []
    facts: dict[str, str | int] = {
        "invoice": owed.number,
        "currency": owed.currency,
        "total_minor": owed.total_minor,
        "open_minor": owed.collectable_minor,
        "issued_on": owed.issued_at[:10],
        "due_on": owed.due_at[:10],
        "days_late": days_late(owed, ctx.now),
        "paid_minor": owed.paid_minor,
        "disputed_minor": owed.disputed_minor,
    }
    plain = {name: str(value) for name, value in (facts | more).items() if value not in (0, "")}
    return [LetterAsked(kind, plain)]


def days_late(owed: Receivable, now: str) -> int:
    """Calendar days since the due date; 0 before it."""
    return max(0, (date.fromisoformat(now[:10]) - date.fromisoformat(owed.due_at[:10])).days)
