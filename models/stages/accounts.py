"""Accounts taken over: open invoices of customers whose deals were made in an earlier system, collected from now on.

Such an account is a deal that begins in support. It stays open until somebody completes it, as more may be brought.
"""

from dataclasses import dataclass

from models.change import replace
from models.command import Context, Question
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import day_start
from models.messages.receivables import LegacyNumberInput
from models.parts.receivable import LEGACY, OWN_NUMBER
from models.stages.handling import handles
from models.stages.owed import positive

_LONGEST_NUMBER = 40


@dataclass(frozen=True, slots=True)
class BringInvoice:
    """An invoice of an earlier system with the `number` that it has there: what is open of it, in minor units of the
    deal's currency, tax included, and the days on which it was issued and falls due."""

    number: str
    amount_minor: int
    issued_on: str
    due_on: str

    def __post_init__(self) -> None:
        positive(self.amount_minor)
        if not 0 < len(self.number) <= _LONGEST_NUMBER or self.number != self.number.strip():
            raise ValueError(f"number has 1 to {_LONGEST_NUMBER} characters and no space around them")
        if not self.number.isprintable():
            raise ValueError("number has printable characters only")
        if OWN_NUMBER.fullmatch(self.number):
            raise ValueError("number is one of our own series: put the earlier system's name before it")
        if day_start(self.due_on) < day_start(self.issued_on):
            raise ValueError("due_on is before issued_on")


@event
@dataclass(frozen=True, slots=True)
class AccountTakenOver(Event):
    """The deal is an open account: it collects what an earlier system invoiced."""

    tag = "account_taken_over"

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, is_account=True)


@event
@dataclass(frozen=True, slots=True)
class InvoiceBrought(Event):
    """An invoice of an earlier system is to be entered into the book under its own number."""

    tag = "invoice_brought"
    number: str
    amount_minor: int
    issued_on: str
    due_on: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        data = {
            "kind": LEGACY,
            "lines": [],
            "number": self.number,
            "total_minor": self.amount_minor,
            "issued_at": day_start(self.issued_on),
            "due_at": day_start(self.due_on),
        }
        return (Effect("issue_invoice", data),)


def _claim(ctx: Context) -> Question | None:
    return LegacyNumberInput(ctx.payload.number, ctx.deal.id)


@handles("take_over_account")
def take_over_account(ctx: Context) -> list[Event]:
    """Nothing is sold: the deal goes to support at once and waits for invoices."""
    return [AccountTakenOver()]


@handles("bring_invoice", BringInvoice, asks={"invoice_number": _claim})
def bring_invoice(ctx: Context) -> list[Event]:
    """The receivable exists as soon as the ledger has it."""
    p: BringInvoice = ctx.payload
    return [InvoiceBrought(p.number, p.amount_minor, p.issued_on, p.due_on)]
