"""Receivables: one per invoice. total = paid + credited + written off + open; disputed is part of open."""

from dataclasses import dataclass

from models.lifecycle.states import ReceivableState


@dataclass(frozen=True)
class Dispute:
    """A disputed amount of an invoice, frozen for collection until it is settled."""

    number: int
    amount_minor: int
    reason: str
    raised_at: str
    settled: bool = False


@dataclass(frozen=True)
class Receivable:
    """An invoice and what became of it. All amounts are minor units, tax included."""

    number: str
    kind: str
    currency: str
    total_minor: int
    issued_at: str
    due_at: str
    state: str = ReceivableState.ISSUED.value
    paid_minor: int = 0
    credited_minor: int = 0
    written_off_minor: int = 0
    unapplied_minor: int = 0
    disputes: tuple[Dispute, ...] = ()
    promised_minor: int = 0
    promised_until: str = ""
    promised_paid_minor: int = 0
    broken_promises: int = 0
    settled_at: str = ""

    @property
    def open_minor(self) -> int:
        """What is not yet paid, credited or written off."""
        return self.total_minor - self.paid_minor - self.credited_minor - self.written_off_minor

    @property
    def disputed_minor(self) -> int:
        """The part of the open amount that is frozen, never more than the open amount."""
        frozen = sum(d.amount_minor for d in self.disputes if not d.settled)
        return min(frozen, self.open_minor)

    @property
    def collectable_minor(self) -> int:
        """What collection may ask for: open and not disputed."""
        return self.open_minor - self.disputed_minor

    @property
    def is_settled(self) -> bool:
        """True when nothing is open."""
        return ReceivableState(self.state).is_terminal
