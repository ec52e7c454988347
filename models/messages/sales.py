"""What sales asks the price list, and what it answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One article in a quantity of whole units."""

    article: str
    quantity: int


@dataclass(frozen=True, slots=True)
class QuoteInput:
    """Ask for list prices and costs in one currency, and for the discounts already given to the customer."""

    deal_id: str
    customer_id: str
    currency: str
    lines: tuple[QuoteLine, ...]
    at: str


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """The price list's answer for one line; prices per unit in minor units, `known` False when not listed.

    `tax_bps` is the tax rate of the article in basis points.
    """

    article: str
    known: bool
    description: str = ""
    list_price_minor: int = 0
    cost_minor: int = 0
    tax_bps: int = 0


@dataclass(frozen=True, slots=True)
class QuoteResult:
    """Lines in the order asked. `given_discount_minor` / `given_list_minor`: discounts granted to and list value
    bought by this customer in its other deals accepted in the last 365 days (splitting is caught with it)."""

    lines: tuple[QuotedLine, ...]
    given_discount_minor: int = 0
    given_list_minor: int = 0


@dataclass(frozen=True, slots=True)
class GrantedDiscountInput:
    """An accepted deal's value at list prices and the discount granted on it, in minor units. A deal that is
    accepted again with other terms replaces what was noted for it before."""

    effect_key: str
    deal_id: str
    customer_id: str
    currency: str
    list_minor: int
    discount_minor: int
    at: str
