"""Reconciliations of accounts with customers on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from api.wire.shared import Asked, Clean, Currency, Money, Note, Price, Told
from models.money import MAX_MINOR

Month = Annotated[str, Field(pattern=r"^([0-9]{4}-(0[1-9]|1[0-2]))?$", description="A month such as 2026-01")]
StateName = Literal["open", "confirmed", "differs", "settled"]
KindName = Literal["unknown_invoice", "missing_payment", "amount", "other"]


class RunAsked(Asked):
    """Write the statements of a month (empty: the last whole one); of test deals alone for a rehearsal that no
    customer gets to see."""

    month: Month = ""
    test_deals: bool = False


class RunTold(Told):
    """What a run has done. Unless it is `finished` it goes on; ask again, what was written is not written twice."""

    month: str
    finished: bool
    written: int


class SignedAmount(Asked):
    """An amount in minor units, which may be negative: then we owe it."""

    amount_minor: Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)]
    currency: Currency


class ItemAsked(Asked):
    """One difference. `theirs` is what is open on the invoice by the customer's books, or the amount of a payment that
    we have not booked, whose `reference` helps to find it."""

    kind: KindName
    invoice: Annotated[Clean, Field(max_length=40)] = ""
    theirs: Price
    reference: Annotated[Clean, Field(max_length=200)] = ""
    note: Annotated[Clean, Field(max_length=500)] = ""


class AnswerAsked(Asked):
    """What a customer answers to its statement: its balance, and where it differs."""

    balance: SignedAmount
    items: list[ItemAsked] = Field(default_factory=list, max_length=500)


class SettleAsked(Asked):
    """How the differences were put right."""

    note: Annotated[Note, Field(min_length=1)]


class Reconciliation(Told):
    """A statement of account as of a month's end, and its answer; `their_balance` is null until there is one.

    Balances are what the customer owes us. `credit` is what it had beyond its invoices.
    """

    id: str
    customer: str
    month: str
    state: StateName
    is_test: bool
    our_balance: Money
    their_balance: Money | None
    credit: Money
    sent_at: str
    deadline: str
    reminded_at: str
    answered_at: str
    answered_by: str
    settled_at: str
    settled_by: str
    note: str
    letter_key: str
    letter_name: str
    letter_digest: str


class StatementLine(Told):
    """An invoice that was open at the month's end."""

    invoice: str
    deal_id: str
    issued_on: str
    due_on: str
    total: Money
    open: Money


class Item(Told):
    """One difference and what it became: a `dispute` of its invoice, a `task` (an alert), or `corrected`; empty while
    nobody has seen to it."""

    number: int
    kind: KindName
    invoice: str
    deal_id: str
    ours: Money
    theirs: Money
    disputed: Money
    reference: str
    note: str
    became: str
    dispute: int
    outcome: str


class WholeReconciliation(Reconciliation):
    """A reconciliation with its invoices and differences."""

    lines: list[StatementLine]
    items: list[Item]


class Reconciliations(Told):
    """A page of reconciliations, the latest month first."""

    items: list[Reconciliation]
    next_cursor: str
