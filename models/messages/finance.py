"""What finance is asked about a customer: reliability inputs, credit limit and headroom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReliabilityInput:
    """Ask for everything known about a customer's reliability at a moment."""

    deal_id: str
    customer_id: str
    currency: str
    at: str


@dataclass(frozen=True, slots=True)
class Financials:
    """Balance sheet figures in minor units of one currency, for Altman's Z'' (1995)."""

    working_capital_minor: int
    retained_earnings_minor: int
    ebit_minor: int
    equity_minor: int
    total_assets_minor: int
    total_liabilities_minor: int


@dataclass(frozen=True, slots=True)
class ReliabilityFacts:
    """Identity checks, financial statements, own payment history, exposure, age and block list of a customer.

    `*_ok` is None when the customer card carries no such number. `average_days_late` and `paid_invoices` come
    from our own books, `*_bps` are shares in basis points, exposure is in minor units of the asked currency.
    """

    customer_known: bool
    group: str
    registration_ok: bool | None = None
    vat_ok: bool | None = None
    iban_ok: bool | None = None
    lei_ok: bool | None = None
    financials: Financials | None = None
    paid_invoices: int = 0
    average_days_late: int = 0
    disputed_bps: int = 0
    broken_promises: int = 0
    exposure_minor: int = 0
    founded_on: str = ""
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class HeadroomInput:
    """Reserve `amount_minor` of a group's credit limit under `key`. Asking twice with one key reserves once;
    asking again with another amount moves the reservation to the new amount, or refuses and keeps the old.

    `suggested_limit_minor` is what the assessment suggests; a limit fixed by the risk officer goes first.
    """

    key: str
    deal_id: str
    group: str
    currency: str
    amount_minor: int
    suggested_limit_minor: int
    at: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class HeadroomResult:
    """Whether the reservation stands, with the limit and what all other reservations of the group use."""

    granted: bool
    limit_minor: int
    used_minor: int


@dataclass(frozen=True, slots=True)
class HeadroomReleaseInput:
    """Lower the reservation under `key` to `remaining_minor` (0 ends it). Never raises it."""

    effect_key: str
    key: str
    deal_id: str
    remaining_minor: int
    at: str


@dataclass(frozen=True, slots=True)
class HeadroomReleaseResult:
    """How much was given back."""

    released_minor: int


@dataclass(frozen=True, slots=True)
class GroupHoldInput:
    """Hold a customer's group because of a deal (`invoice` is what is late, empty when a person asked for it), or lift
    that: with an empty `invoice` all holds of the deal."""

    effect_key: str
    group: str
    deal_id: str
    customer_id: str
    invoice: str
    on: bool
    reason: str
    at: str
    is_test: bool


@dataclass(frozen=True, slots=True)
class GroupHoldsInput:
    """Ask which other deals hold the customer group of a deal. Test deals and real ones don't hold each other."""

    group: str
    deal_id: str
    at: str
    is_test: bool


@dataclass(frozen=True, slots=True)
class GroupHold:
    """One hold: the deal that asks for it, its late invoice (empty: a person asked), and since when."""

    deal_id: str
    invoice: str
    since: str


@dataclass(frozen=True, slots=True)
class GroupHolds:
    """The holds on a group, the oldest first: `count` of them, of which at most 20 are named."""

    holds: tuple[GroupHold, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class BrokenPromiseInput:
    """A promise to pay was broken; it counts against the customer's reliability, once per effect key."""

    effect_key: str
    deal_id: str
    customer_id: str
    at: str
