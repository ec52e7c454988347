"""Receivables: one per invoice. total = paid + credited + written off + open; disputed is part of open."""

import re
from dataclasses import dataclass

from models.codec import later
from models.lifecycle.states import ReceivableState

LEGACY = "legacy"
"""The kind of an invoice that an earlier system issued: it has the number of that system."""

OWN_NUMBER = re.compile(r"((?:[IC]-)?\d{4})-(\d{6,})")
"""A number of one of our series: the series, and the place in it."""


@dataclass(frozen=True)
class LineAmount:
    """An amount of one line of an invoice, in minor units, tax included."""

    line: int
    amount_minor: int


@dataclass(frozen=True)
class BilledLine:
    """One line as it was invoiced; `gross_minor` is what it costs, tax included."""

    line: int
    article: str
    quantity: int
    gross_minor: int


@dataclass(frozen=True)
class Dispute:
    """A disputed amount of an invoice, frozen for collection until it is settled.

    `lines` are the disputed lines, `evidence` names what the customer shows (a document's number or digest). It is to
    be answered by `due_at`; `outcome` is how it ended: credited, rejected,
    compromise, or moot when nothing was open any more.
    """

    number: int
    amount_minor: int
    reason: str
    raised_at: str
    settled: bool = False
    lines: tuple[LineAmount, ...] = later(())
    evidence: str = later("")
    due_at: str = later("")
    outcome: str = later("")
    credited_minor: int = later(0)
    ended_at: str = later("")


@dataclass(frozen=True)
class PromiseMade:
    """A promise to pay an amount until an instant; `outcome` is kept, broken or replaced, and empty while it runs."""

    amount_minor: int
    made_at: str
    until: str
    outcome: str = ""
    ended_at: str = ""


@dataclass(frozen=True)
class Instalment:
    """A part of a payment plan, due at an instant."""

    due_at: str
    amount_minor: int


@dataclass(frozen=True)
class Plan:
    """A payment plan: instalments in the order of their due dates, and what was paid on them since it was agreed.

    `outcome` is kept, defaulted or replaced (by another plan), and empty while it runs.
    """

    instalments: tuple[Instalment, ...]
    agreed_at: str
    agreed_by: str
    paid_minor: int = 0
    outcome: str = ""
    ended_at: str = ""

    @property
    def total_minor(self) -> int:
        """The sum of all instalments."""
        return sum(each.amount_minor for each in self.instalments)

    @property
    def next_unpaid(self) -> tuple[int, Instalment] | None:
        """Number (from 1) and value of the first instalment that is not paid in full, or None."""
        needed = 0
        for number, each in enumerate(self.instalments, start=1):
            needed += each.amount_minor
            if self.paid_minor < needed:
                return number, each
        return None


@dataclass(frozen=True)
class Reached:
    """A rung of the ladder that the invoice has reached, and when."""

    rung: str
    at: str


@dataclass(frozen=True)
class Receivable:
    """An invoice and what became of it. All amounts are minor units, tax included.

    `unapplied_minor` is what was paid or credited beyond what was open (`overcredited_minor` of it by credit notes):
    the customer's credit. `tolerated_minor` is the part of what was written off that is mere bank charges.

    The ladder counts from `ladder_base` (empty: the due date) and stands still since `paused_at`. Interest that has
    accrued until the day `interest_until` is `interest_minor` and `interest_rest` of `models.interest`; of interest and
    lump sum, `charged_minor` was invoiced and `waived_minor` given up. `charged_for` is the late invoice that a note of
    interest is about.
    """

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
    lines: tuple[BilledLine, ...] = later(())
    charged_for: str = later("")
    overcredited_minor: int = later(0)
    set_off_minor: int = later(0)
    tolerated_minor: int = later(0)
    ladder_base: str = later("")
    paused_at: str = later("")
    reached: tuple[Reached, ...] = later(())
    promises: tuple[PromiseMade, ...] = later(())
    plans: tuple[Plan, ...] = later(())
    interest_until: str = later("")
    interest_minor: int = later(0)
    interest_rest: int = later(0)
    charged_minor: int = later(0)
    waived_minor: int = later(0)

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
    def creditable_minor(self) -> int:
        """What credit notes may still be issued for: everything that was neither credited nor given up."""
        return max(0, self.total_minor - self.credited_minor - self.written_off_minor - self.overcredited_minor)

    @property
    def overpaid_minor(self) -> int:
        """What payments left as credit and is still there; credit from credit notes is used first."""
        return self.unapplied_minor - max(0, self.overcredited_minor - self.set_off_minor)

    @property
    def reversible_minor(self) -> int:
        """What came in as payments and may go back: what was paid, and what payments left as credit."""
        return self.paid_minor + self.overpaid_minor

    @property
    def is_settled(self) -> bool:
        """True when nothing is open."""
        return ReceivableState(self.state).is_terminal

    @property
    def plan(self) -> Plan | None:
        """The payment plan that runs, or None."""
        return self.plans[-1] if self.plans and not self.plans[-1].outcome else None

    @property
    def is_paused(self) -> bool:
        """True while the ladder stands still: everything open is disputed, promised or in a payment plan."""
        return not self.is_settled and (
            bool(self.promised_until) or self.plan is not None or self.collectable_minor <= 0
        )
