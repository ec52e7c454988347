"""Interest and lump sums on late invoices: accrued by the day, charged with a note of their own, waived only by
approval (D30)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.interest import WHOLE, accrued, rounded, whole_minor
from models.lifecycle.states import ReceivableState
from models.parts.receivable import Receivable
from models.policy import Policy
from models.stages.handling import handles
from models.stages.owed import with_receivable

INTEREST = "interest"
"""The kind of an invoice that claims interest and lump sum. It bears no interest itself."""


@dataclass(frozen=True, slots=True)
class ChargeInterest:
    """The agenda item, and the late invoice whose interest is to be charged."""

    item: str
    invoice: str


@event
@dataclass(frozen=True, slots=True)
class InterestAccrued(Event):
    """The interest of an invoice was counted up to a day, because what it is counted on changes. `rest` is less than
    a minor unit, in units of `models.interest`; `minor` is negative when interest is taken back."""

    tag = "interest_accrued"
    invoice: str
    until: str
    minor: int
    rest: int

    def count(self, r: Receivable) -> Receivable:
        """The invoice with this interest."""
        more, rest = divmod(r.interest_rest + self.rest, WHOLE)
        minor = r.interest_minor + self.minor + more
        return replace(r, interest_minor=minor, interest_rest=rest, interest_until=max(r.interest_until, self.until))

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_receivable(deal, self.invoice, self.count)


@event
@dataclass(frozen=True, slots=True)
class InterestCharged(Event):
    """An amount is claimed with a note of its own: what interest and lump sum have come to, less what was charged
    before and what was waived."""

    tag = "interest_charged"
    invoice: str
    amount_minor: int
    interest_minor: int
    fee_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_receivable(
            deal, self.invoice, lambda r: replace(r, charged_minor=r.charged_minor + self.amount_minor)
        )

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("issue_interest_note", {"invoice": self.invoice, "total_minor": self.amount_minor}),)


@event
@dataclass(frozen=True, slots=True)
class InterestWaived(Event):
    """Interest and lump sum that were not charged yet are given up, by approval."""

    tag = "interest_waived"
    invoice: str
    amount_minor: int
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_receivable(
            deal, self.invoice, lambda r: replace(r, waived_minor=r.waived_minor + self.amount_minor)
        )


def bears_interest(owed: Receivable, policy: Policy) -> bool:
    """Whether late days of this invoice cost anything."""
    return policy.rules >= 3 and owed.kind != INTEREST and bool(policy.interest.rates)


def accrual(owed: Receivable, policy: Policy, day: str) -> tuple[int, int]:
    """The interest that came up since it was last counted until a day (ISO date), in minor units and the rest."""
    if not bears_interest(owed, policy):
        return 0, 0
    since = max(owed.interest_until, owed.due_at[:10])
    return whole_minor(accrued(policy.interest, owed.collectable_minor, since, day))


def interest_of(owed: Receivable, policy: Policy, day: str) -> int:
    """All interest of an invoice until a day, in minor units rounded half up, whatever was charged or waived of it."""
    minor, rest = accrual(owed, policy, day)
    more, rest = divmod(owed.interest_rest + rest, WHOLE)
    return rounded(owed.interest_minor + minor + more, rest)


def fee_of(owed: Receivable, policy: Policy) -> int:
    """The lump sum for a late invoice in minor units: due once it has reached the policy's rung."""
    if not bears_interest(owed, policy) or not is_claimed(owed, policy):
        return 0
    if owed.is_settled and not (owed.interest_minor or owed.interest_rest):
        return 0  # the money was here in time and only booked late
    return policy.interest.fee_minor.get(owed.currency, 0)


def is_claimed(owed: Receivable, policy: Policy) -> bool:
    """Whether the ladder has reached the rung from which interest is claimed."""
    return any(each.rung == policy.interest.from_rung for each in owed.reached)


def uncharged(owed: Receivable, policy: Policy, day: str) -> int:
    """Interest and lump sum until a day that were neither charged nor waived, in minor units; 0 if none is claimed."""
    if not bears_interest(owed, policy) or not is_claimed(owed, policy):
        return 0
    return max(0, interest_of(owed, policy, day) + fee_of(owed, policy) - owed.charged_minor - owed.waived_minor)


def is_chargeable(owed: Receivable, policy: Policy) -> bool:
    """Whether a note must be issued: the invoice came in, late, and what is due for that is worth a note."""
    if owed.state not in (ReceivableState.PAID, ReceivableState.CREDITED) or not owed.paid_minor:
        return False
    least = max(1, policy.interest.least_minor)
    return uncharged(owed, policy, owed.interest_until or owed.due_at[:10]) >= least


def counted(owed: Receivable, policy: Policy, day: str) -> list[InterestAccrued]:
    """The event that counts the interest until a day, or nothing when there is none."""
    minor, rest = accrual(owed, policy, day)
    return [InterestAccrued(owed.number, day, minor, rest)] if minor or rest else []


def recounted(before: Receivable, after: Receivable, policy: Policy, day: str) -> list[InterestAccrued]:
    """The events that count the interest until the day from which less or more of the invoice is to be collected.

    When it was counted beyond that day already, as for a payment that is booked after a later one, the interest on
    what had come in is taken back.
    """
    if day >= before.interest_until or not bears_interest(before, policy):
        return counted(before, policy, day)
    came_in = before.collectable_minor - after.collectable_minor
    units = accrued(policy.interest, came_in, max(day, before.due_at[:10]), before.interest_until)
    minor, rest = whole_minor(-min(units, before.interest_minor * WHOLE + before.interest_rest))
    return [InterestAccrued(before.number, before.interest_until, minor, rest)] if minor or rest else []


def counted_from(owed: Receivable, policy: Policy, day: str) -> list[Event]:
    """The event after which interest is counted from a day on: nothing was to be collected before it."""
    if not bears_interest(owed, policy) or day <= max(owed.interest_until, owed.due_at[:10]):
        return []
    return [InterestAccrued(owed.number, day, 0, 0)]


def late_freeze(owed: Receivable, policy: Policy, amount_minor: int, since: str, day: str) -> list[Event]:
    """The interest on an amount that was frozen wrongly since an instant: it was owed all the time."""
    if not bears_interest(owed, policy):
        return []
    after = max(since[:10], owed.due_at[:10])
    minor, rest = whole_minor(accrued(policy.interest, amount_minor, after, day))
    return [InterestAccrued(owed.number, day, minor, rest)] if minor or rest else []


@handles("charge_interest", ChargeInterest)
def charge_interest(ctx: Context) -> list[Event]:
    """The principal is settled: claim what its lateness costs, less what was waived."""
    owed = ctx.deal.receivable(ctx.payload.invoice)
    if owed is None:
        return []
    day = owed.interest_until or owed.due_at[:10]
    amount = uncharged(owed, ctx.policy, day)
    return [InterestCharged(owed.number, amount, interest_of(owed, ctx.policy, day), fee_of(owed, ctx.policy))]
