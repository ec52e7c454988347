"""What matching looks at, and what it answers: open invoices, what is known of payers, allocations and candidates."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice that money may be for. Amounts are minor units, `due_on` and `issued_on` are days.

    `open_minor` is what is neither paid, credited nor written off (0 for a settled one that is still looked up by
    its number). A payer who pays until `discount_until` may keep `discount_minor` back (cash discount). `total_minor`
    is what the invoice was for, 0 when that is not known: a payment that comes back never opens more than that.
    """

    number: str
    deal_id: str
    customer: str
    currency: str
    open_minor: int
    issued_on: str
    due_on: str
    kind: str = "delivery"
    discount_minor: int = 0
    discount_until: str = ""
    total_minor: int = 0


@dataclass(frozen=True, slots=True)
class Payer:
    """What is known of a customer as a payer: its names, and IBANs that it has paid from or that stand on its card."""

    customer: str
    names: tuple[str, ...] = ()
    ibans: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What may be missing without a question, in minor units per currency: bank charges that were kept back.

    `share_bps` caps it as a share of the invoice in basis points.
    """

    charges_minor: dict[str, int]
    share_bps: int = 200


@dataclass(frozen=True, slots=True)
class Allocation:
    """A part of an entry for one invoice. `applied_minor` is paid on it, `excess_minor` is more than is open and
    becomes the customer's credit, `charges_minor` is forgiven as bank charges, `discount_minor` as cash discount.

    The parts of an entry (applied + excess) add up to its amount. When a payment comes back all parts are negative.
    """

    invoice: str
    deal_id: str
    customer: str
    applied_minor: int
    excess_minor: int = 0
    charges_minor: int = 0
    discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Earlier:
    """An entry that was matched before, as far as it takes to undo it when the money comes back.

    References are as the bank gave them. `amount_minor` is what came in and what the allocations add up to.
    """

    bank_reference: str
    end_to_end: str
    allocations: tuple[Allocation, ...]
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """Invoices that an entry may be for, with a score from 0 to 100 and why, in words for a person."""

    allocations: tuple[Allocation, ...]
    score: int
    why: str


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one entry: `rule` names the rule that decided, and is empty when a person has to.

    `reason` says in words why it was decided so, or why it could not be; `customer` is who paid as far as known.
    """

    rule: str
    allocations: tuple[Allocation, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    customer: str = ""
    reason: str = ""
