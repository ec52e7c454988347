"""How a deal is billed (D27): per delivery, per order or per milestone, and what is paid in advance.

Rounding, stated once for all invoices: tax is rounded per order line, half away from zero, on all of the line that is
billed so far; an invoice or credit note carries the difference to what was billed of the line before. So the parts of
a line, however it is cut, add up to the line's net and its tax to the last minor unit. Milestones cut net and tax of a
line by their shares with the largest remainder (`models.money.split`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from models.money import BPS, share, split

MOST_MILESTONES = 20


class Billing(StrEnum):
    """When goods are invoiced."""

    DELIVERY = "delivery"
    ORDER = "order"
    MILESTONES = "milestones"


class Blocks(StrEnum):
    """What waits for an unpaid prepayment: the entry of the order and so every reservation, the shipping, or both."""

    SUPPLY = "supply"
    SHIPPING = "shipping"
    BOTH = "both"

    @property
    def supply(self) -> bool:
        """Nothing is entered or reserved before the prepayment came in."""
        return self is not Blocks.SHIPPING

    @property
    def shipping(self) -> bool:
        """Nothing leaves before the prepayment came in."""
        return self is not Blocks.SUPPLY


class InvoiceKind(StrEnum):
    """Kinds of invoices for goods; all of them share the year's series of numbers."""

    DELIVERY = "delivery"
    ORDER = "order"
    MILESTONE = "milestone"
    PREPAYMENT = "prepayment"


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step of the deal at which a share of the order, in basis points, is invoiced."""

    name: str
    share_bps: int

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > 80:
            raise ValueError("a milestone has a name of 1 to 80 characters")
        if not 0 < self.share_bps <= BPS:
            raise ValueError(f"share_bps must be from 1 to {BPS}")


@dataclass(frozen=True, slots=True)
class Taxed:
    """An amount without tax, and its tax, in minor units."""

    net_minor: int = 0
    tax_minor: int = 0

    def __add__(self, other: "Taxed") -> "Taxed":
        return Taxed(self.net_minor + other.net_minor, self.tax_minor + other.tax_minor)

    def __sub__(self, other: "Taxed") -> "Taxed":
        return Taxed(self.net_minor - other.net_minor, self.tax_minor - other.tax_minor)

    @property
    def total_minor(self) -> int:
        """What the customer pays."""
        return self.net_minor + self.tax_minor


NOTHING = Taxed()


@dataclass(frozen=True, slots=True)
class Billed:
    """What was invoiced for an order line, less what was credited of it.

    `goods` were invoiced in full, `prepaid` was invoiced in advance, and `settled` is how much of the prepaid amount
    was deducted from invoices for goods: the customer was asked for goods + prepaid - settled.
    """

    goods: Taxed = NOTHING
    prepaid: Taxed = NOTHING
    settled: Taxed = NOTHING

    @property
    def total_minor(self) -> int:
        """What the customer was asked for, tax included."""
        return self.goods.total_minor + self.prepaid.total_minor - self.settled.total_minor


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """What an invoice or a credit note says of one order line: units, their amount and tax, and the part of a
    prepayment that is deducted. Negative on what is taken back."""

    line: int
    quantity: int
    net_minor: int
    tax_minor: int
    settled_net_minor: int = 0
    settled_tax_minor: int = 0

    @property
    def total_minor(self) -> int:
        """What the customer is asked for, tax included."""
        return self.net_minor + self.tax_minor - self.settled_net_minor - self.settled_tax_minor


def check_milestones(milestones: tuple[Milestone, ...]) -> None:
    """Raises ValueError unless the shares are the whole, and every name is there once."""
    if len(milestones) > MOST_MILESTONES:
        raise ValueError(f"at most {MOST_MILESTONES} milestones")
    if sum(each.share_bps for each in milestones) != BPS:
        raise ValueError(f"the shares of the milestones add up to {BPS} basis points")
    if len({each.name for each in milestones}) != len(milestones):
        raise ValueError("a milestone is named twice")


def value(net_minor: int, tax_bps: int) -> Taxed:
    """A net amount with its tax, which is rounded half away from zero."""
    return Taxed(net_minor, share(net_minor, tax_bps))


def in_advance(whole: Taxed, tax_bps: int, prepaid_bps: int) -> Taxed:
    """The part of a line that is paid in advance."""
    return whole if prepaid_bps == BPS else value(share(whole.net_minor, prepaid_bps), tax_bps)


def of_milestones(whole: Taxed, milestones: tuple[Milestone, ...], reached: Iterable[str]) -> Taxed:
    """The part of a line that the reached milestones bill."""
    shares = [each.share_bps for each in milestones]
    places = [place for place, each in enumerate(milestones) if each.name in reached]
    net, tax = split(whole.net_minor, shares), split(whole.tax_minor, shares)
    return Taxed(sum(net[place] for place in places), sum(tax[place] for place in places))


def settled_of(prepaid: Taxed, goods: Taxed, whole: Taxed) -> Taxed:
    """How much of a line's prepayment is deducted once `goods` of the `whole` are billed: the same part of it."""
    if goods == whole:
        return prepaid
    if whole.net_minor <= 0:
        return NOTHING
    part, all_of_it = goods.net_minor, whole.net_minor
    return Taxed(prepaid.net_minor * part // all_of_it, prepaid.tax_minor * part // all_of_it)
