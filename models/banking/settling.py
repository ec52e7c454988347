"""How an amount settles invoices: in full, less cash discount, less bank charges, in part, or with an excess."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from models.banking.matching_values import Allocation, OpenInvoice, Tolerance
from models.banking.statement import BankEntry
from models.money import share

_MOST_DISCOUNTS = 6


@dataclass(frozen=True, slots=True)
class Due:
    """An invoice and what is open on it now, in minor units."""

    invoice: OpenInvoice
    open_minor: int

    @property
    def age(self) -> tuple[str, str]:
        """Sorts the oldest due first, then by number."""
        return self.invoice.due_on, self.invoice.number


@dataclass(frozen=True, slots=True)
class Settled:
    """Allocations that make up an entry, and in words how they do."""

    allocations: tuple[Allocation, ...]
    how: str


def oldest_first(dues: Iterable[Due]) -> list[Due]:
    """By due day, then by number."""
    return sorted(dues, key=lambda due: due.age)


def open_sum(dues: Iterable[Due]) -> int:
    """What is open on all of them, in minor units."""
    return sum(due.open_minor for due in dues)


def allocation(due: Due, applied: int, excess: int = 0, charges: int = 0, discount: int = 0) -> Allocation:
    """A part of an entry for one invoice; minor units."""
    invoice = due.invoice
    return Allocation(invoice.number, invoice.deal_id, invoice.customer, applied, excess, charges, discount)


def running_discount(due: Due, entry: BankEntry) -> int:
    """The cash discount that the payer may keep back, in minor units: 0 when it ran out before the value date."""
    invoice, paid_on = due.invoice, entry.valued_on or entry.booked_on
    is_running = bool(invoice.discount_until) and invoice.discount_until >= paid_on
    return invoice.discount_minor if is_running and 0 < invoice.discount_minor < due.open_minor else 0


def charges_allowed(due: Due, tolerance: Tolerance) -> int:
    """The bank charges that may be missing on an invoice without a question: the fixed sum of its currency, capped by
    the share of what is open."""
    fixed = tolerance.charges_minor.get(due.invoice.currency, 0)
    return max(0, min(fixed, share(due.open_minor, tolerance.share_bps), due.open_minor - 1))


def may_miss(due: Due, entry: BankEntry, tolerance: Tolerance) -> bool:
    """A quick look whether what the entry lacks on an invoice can be a discount or charges at all."""
    fixed = tolerance.charges_minor.get(due.invoice.currency, 0)
    most = due.invoice.discount_minor + (fixed if fixed > entry.charges_minor else entry.charges_minor)
    return 0 <= due.open_minor - entry.amount_minor <= most


def exactly(dues: Sequence[Due], entry: BankEntry) -> Settled | None:
    """The entry pays all of these invoices to the last cent, less the cash discount that runs, or None.

    First without any discount, then with all that run, then with that of exactly one choice of invoices (of at most six
    that have one).
    """
    dues = oldest_first(dues)
    missing = open_sum(dues) - entry.amount_minor
    if missing == 0:
        return Settled(tuple(allocation(due, due.open_minor) for due in dues), "in full")
    discounts = [running_discount(due, entry) for due in dues]
    if missing > 0 and (kept := _discounts_kept(discounts, missing)) is not None:
        return Settled(_less(dues, discounts=kept), "less cash discount")
    return None


def _discounts_kept(discounts: list[int], missing: int) -> list[int] | None:
    """Which discounts make up what is missing: all, or the only choice of them; None when none or several do."""
    if sum(discounts) == missing:
        return discounts
    if sum(discounts) < missing or sum(1 for discount in discounts if discount) > _MOST_DISCOUNTS:
        return None
    choices = product(*([0, discount] if discount else [0] for discount in discounts))
    fitting = [list(choice) for choice in choices if sum(choice) == missing]
    return fitting[0] if len(fitting) == 1 else None


def less_charges(dues: Sequence[Due], entry: BankEntry, tolerance: Tolerance) -> Settled | None:
    """The entry pays all of these invoices but for bank charges, or None.

    What is missing (after no discount, or after all that run) is exactly what the bank says that it kept, or is within
    the tolerance, which counts per invoice: it goes on the oldest due first, up to the tolerance of each and to what
    its discount leaves.
    """
    dues = oldest_first(dues)
    running = [running_discount(due, entry) for due in dues]
    for discounts in ([0] * len(dues), running):
        left = [due.open_minor - discount for due, discount in zip(dues, discounts, strict=True)]
        missing = sum(left) - entry.amount_minor
        # of every invoice something must have come: one of which only charges are missing was not paid
        allowed = [min(charges_allowed(due, tolerance), max(rest - 1, 0)) for due, rest in zip(dues, left, strict=True)]
        if missing > 0 and missing == entry.charges_minor:
            allowed = left
        if 0 < missing <= sum(allowed):
            charges = _spread(missing, allowed)
            how = "less cash discount and bank charges" if any(discounts) else "less bank charges"
            return Settled(_less(dues, discounts=discounts, charges=charges), how)
    return None


def _spread(amount: int, most: Iterable[int]) -> list[int]:
    """An amount over places that each hold at most so much, in their order."""
    parts: list[int] = []
    for limit in most:
        parts.append(min(amount, limit))
        amount -= parts[-1]
    return parts


def _less(
    dues: Sequence[Due], discounts: Sequence[int] | None = None, charges: Sequence[int] | None = None
) -> tuple[Allocation, ...]:
    nothing = [0] * len(dues)
    parts = zip(dues, discounts or nothing, charges or nothing, strict=True)
    return tuple(
        allocation(due, due.open_minor - discount - charge, charges=charge, discount=discount)
        for due, discount, charge in parts
    )


def in_part(dues: Sequence[Due], amount_minor: int) -> Settled:
    """An amount that is less than what is open on these invoices, oldest due first; those that it does not reach are
    left out."""
    dues = oldest_first(dues)
    parts = _spread(amount_minor, (due.open_minor for due in dues))
    paid = tuple(allocation(due, part) for due, part in zip(dues, parts, strict=True) if part)
    return Settled(paid, "in part, oldest due first" if len(dues) > 1 else "in part")


def with_excess(dues: Sequence[Due], amount_minor: int) -> Settled:
    """An amount that is more than what is open on these invoices: the rest is on the last due one, as credit."""
    dues = oldest_first(dues)
    parts = [due.open_minor for due in dues]
    excess = amount_minor - sum(parts)
    paid = [allocation(due, part) for due, part in zip(dues, parts, strict=True)]
    paid[-1] = allocation(dues[-1], parts[-1], excess=excess)
    return Settled(tuple(paid), "in full; the rest is the customer's credit")


def anyhow(dues: Sequence[Due], entry: BankEntry, tolerance: Tolerance) -> Settled:
    """The best way in which an entry pays these invoices: in full, less what may be missing, in part, or too much."""
    ways: tuple[Callable[[], Settled | None], ...] = (
        lambda: exactly(dues, entry),
        lambda: less_charges(dues, entry, tolerance),
    )
    for way in ways:
        if settled := way():
            return settled
    amount = entry.amount_minor
    return in_part(dues, amount) if amount < open_sum(dues) else with_excess(dues, amount)
