"""Bank statements and their entries on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from api.wire.shared import Asked, Clean, Code, Money, Told
from models.money import MAX_MINOR

StatementState = Literal["imported", "quarantined"]
EntryState = Literal["received", "matched", "booked", "waiting", "ignored"]
PartState = Literal["planned", "booked", "refused"]


class Outcome(Told):
    """How many entries of a statement are in a state by a rule, and their sum."""

    state: EntryState
    rule: str
    count: int
    amount: Money


class Statement(Told):
    """A statement of one account: `imported`, or in quarantine with the difference (opening + entries - closing).

    Of its `entries`, `known` had come in earlier files and `new` are its own; `moved` is the sum of all.
    """

    id: int
    digest: str
    position: int
    account: str
    currency: str
    number: str
    source: str
    opened_on: str
    closed_on: str
    opening: Money | None
    closing: Money | None
    moved: Money
    difference: Money | None
    entries: int
    known: int
    new: int
    state: StatementState
    reason: str
    received_at: str
    received_by: str
    outcomes: list[Outcome]


class TakenStatement(Statement):
    """A statement of a file that was sent; `replayed` when this very file had come before."""

    replayed: bool


class TakenStatements(Told):
    """What became of a file. `unanswered` entries are matched, and their deals did not answer yet: retry tells them."""

    statements: list[TakenStatement]
    unanswered: int


class Statements(Told):
    """A page of statements, the newest first."""

    items: list[Statement]
    next_cursor: str


class PartAmounts(Told):
    """What is applied to an invoice, kept as the customer's credit beyond it, and forgiven."""

    invoice: str
    deal_id: str
    customer: str
    applied: Money
    excess: Money
    charges: Money
    discount: Money


class Candidate(Told):
    """Invoices that an entry may be for: a score up to 100, and why, in words."""

    score: int
    why: str
    parts: list[PartAmounts]


class EntryPart(PartAmounts):
    """A part of an entry: planned, booked on the deal under `key`, or refused by it for a reason."""

    number: int
    received_on: str
    key: str
    state: PartState
    reason: str
    planned_by: str
    planned_at: str
    settled_at: str


class BankEntry(Told):
    """One movement on our account: a positive amount came in. `left` is what is booked nowhere yet.

    `rule` says what decided it and `reason` why; one that waits for a person has candidates, the best first.
    """

    id: int
    account: str
    statement_id: int
    number: int
    booked_on: str
    valued_on: str
    amount: Money
    charges: Money
    original: Money | None
    bank_reference: str
    end_to_end: str
    structured: str
    text: str
    party_name: str
    party_iban: str
    code: str
    is_reversal: bool
    return_reason: str
    mandate: str
    state: EntryState
    rule: str
    reason: str
    customer: str
    left: Money
    parts: list[EntryPart]
    candidates: list[Candidate]
    tries: int
    received_at: str
    decided_by: str
    decided_at: str


class BankEntries(Told):
    """A page of entries, in the order in which they came."""

    items: list[BankEntry]
    next_cursor: str


Minor = Annotated[int, Field(ge=1, le=MAX_MINOR)]
Forgiven = Annotated[int, Field(ge=0, le=MAX_MINOR)]


class AssignedPart(Asked):
    """What is to be booked on an invoice, in minor units of the entry's currency, positive whichever way the money
    went. What exceeds the open amount stays as the customer's credit."""

    invoice: Code
    amount_minor: Minor
    charges_minor: Forgiven = 0
    discount_minor: Forgiven = 0


class Assigned(Asked):
    """The parts of an entry; their amounts add up to what is left of it."""

    parts: Annotated[list[AssignedPart], Field(min_length=1, max_length=100)]


class NotOurs(Asked):
    """Why an entry is not ours to book."""

    reason: Annotated[Clean, Field(min_length=1, max_length=500)]


class Retried(Told):
    """How many entries were matched once more, what deals booked and refused, and what is left."""

    matched_again: int
    booked: int
    refused: int
    unanswered: int
    waiting: int
