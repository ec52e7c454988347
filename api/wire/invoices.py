"""How an invoice is collected, on the wire: ladder, disputes, promises, plans, interest, letters, holds."""

from api.wire.shared import Money, Told


class ReachedRung(Told):
    """A rung of the collection ladder that the invoice has reached, and when."""

    rung: str
    at: str


class NextRung(Told):
    """The next rung and the letter that it writes (empty: none). `due_at` is empty while the ladder waits."""

    rung: str
    letter: str
    due_at: str


class Ladder(Told):
    """Where the invoice stands on the collection ladder. `next` is null on the last rung and when nothing is open.

    `waits_for` is dispute, promise, plan or legal_approval while one of them keeps the next rung back.
    """

    reached: list[ReachedRung]
    next: NextRung | None
    waits_for: str
    paused_since: str


class DisputedLine(Told):
    """The disputed amount of one line, tax included."""

    line: int
    amount: Money


class Dispute(Told):
    """A dispute, to be answered by `due_at`; `outcome` is credited, rejected, compromise, moot, or empty at first."""

    number: int
    amount: Money
    lines: list[DisputedLine]
    reason: str
    evidence: str
    raised_at: str
    due_at: str
    settled: bool
    outcome: str
    credited: Money
    ended_at: str


class Promise(Told):
    """A promise to pay: `outcome` is kept, broken, replaced, or empty while it runs."""

    amount: Money
    made_at: str
    until: str
    outcome: str
    ended_at: str


class PlanInstalment(Told):
    """One instalment of a payment plan, and what was paid of it."""

    number: int
    due_at: str
    amount: Money
    paid: Money


class Plan(Told):
    """A payment plan: `outcome` is kept, defaulted, replaced, ended, or empty while it runs. `paid` is what lowered the
    open amount since it was agreed; it counts for the first instalments first."""

    agreed_at: str
    agreed_by: str
    total: Money
    paid: Money
    instalments: list[PlanInstalment]
    outcome: str
    ended_at: str


class LateCost(Told):
    """What the invoice's lateness costs until the end of a day, as it was known then.

    `interest` and `lump_sum` are all that came up; of it `charged` was invoiced and `waived` given up. `uncharged` is
    the rest, once it is `claimed` (the ladder has reached the rung for it). `rate_bps` is the yearly rate of that day.
    """

    as_of: str
    rate_bps: int
    claimed: bool
    interest: Money
    lump_sum: Money
    charged: Money
    waived: Money
    uncharged: Money


class InvoiceLetter(Told):
    """A letter about the invoice: its file below the outbox folder with the SHA-256 of it, and how it left."""

    kind: str
    at: str
    name: str
    digest: str
    state: str
    dispatched_at: str


class HeldGroup(Told):
    """The customer group that is on credit hold because of the invoice."""

    group: str
    reason: str
    since: str


class CreditHold(Told):
    """What the invoice holds: its own deal, and the customer's whole group (null: not)."""

    deal: bool
    group: HeldGroup | None
