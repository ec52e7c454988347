"""The offer: versions, lines, discount and margin arithmetic. Prices are minor units per whole unit."""

from dataclasses import dataclass

from models.codec import later
from models.money import BPS, ratio_bps, share
from models.parts.billing import Billing, Blocks, Milestone


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One priced line. `unit_price_minor` is what the customer pays per unit without tax; a price above the list
    price is a surcharge (negative discount)."""

    line: int
    article: str
    description: str
    quantity: int
    list_price_minor: int
    cost_minor: int
    unit_price_minor: int
    tax_bps: int = 0

    @property
    def net_minor(self) -> int:
        """What the line costs the customer without tax."""
        return self.unit_price_minor * self.quantity

    @property
    def list_minor(self) -> int:
        """The line at list price."""
        return self.list_price_minor * self.quantity


@dataclass(frozen=True)
class Offer:
    """One version of the offer. `hash` is the digest of everything the customer sees; approvals bind to it.

    A `prepaid` order is paid in advance as a whole; of others `prepaid_bps` may be. `prepayment_blocks` says what waits
    for that money. `billing` says when the rest is invoiced, with the `milestones` at which it is.
    """

    version: int
    lines: tuple[OfferLine, ...]
    currency: str
    valid_until: str
    payment_days: int
    prepaid: bool
    delivery_terms: str
    language: str
    drafted_by: str
    drafted_for: str = ""
    hash: str = ""
    given_discount_minor: int = 0
    given_list_minor: int = 0
    billing: str = later(Billing.DELIVERY.value)
    milestones: tuple[Milestone, ...] = later(())
    prepaid_bps: int = later(0)
    prepayment_blocks: str = later(Blocks.SHIPPING.value)

    @property
    def prepaid_share(self) -> int:
        """How much of the order is paid in advance, in basis points."""
        return BPS if self.prepaid else self.prepaid_bps

    @property
    def blocks(self) -> Blocks:
        """What waits for an unpaid prepayment."""
        return Blocks(self.prepayment_blocks)

    @property
    def net_minor(self) -> int:
        """Total without tax."""
        return sum(line.net_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        """Tax, rounded per line half away from zero."""
        return sum(share(line.net_minor, line.tax_bps) for line in self.lines)

    @property
    def total_minor(self) -> int:
        """What the customer would pay in all."""
        return self.net_minor + self.tax_minor

    @property
    def list_minor(self) -> int:
        """The offer at list prices."""
        return sum(line.list_minor for line in self.lines)

    @property
    def cost_minor(self) -> int:
        """What the goods cost us."""
        return sum(line.cost_minor * line.quantity for line in self.lines)

    @property
    def margin_bps(self) -> int:
        """Margin on the net total in basis points."""
        return ratio_bps(self.net_minor - self.cost_minor, self.net_minor)

    @property
    def discount_bps(self) -> int:
        """The largest of the discounts that authority is measured by: the offer's own, the deepest line's, and
        the cumulative one over the customer's deals (D12: splitting is caught)."""
        own = ratio_bps(self.list_minor - self.net_minor, self.list_minor)
        deepest = max(
            (ratio_bps(line.list_price_minor - line.unit_price_minor, line.list_price_minor) for line in self.lines),
            default=0,
        )
        given = ratio_bps(
            self.given_discount_minor + self.list_minor - self.net_minor, self.given_list_minor + self.list_minor
        )
        return max(own, deepest, given if own > 0 else 0)
