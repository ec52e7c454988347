"""Reports on receivables on the wire, and the verdict on the books of money."""

from pydantic import Field

from api.wire.masters import Difference
from api.wire.shared import Money, Told


class AsOfDay(Told):
    """The day (UTC) at whose end things stood as the report says. `known_at` is the instant whose knowledge counts,
    with money on its value days; empty: what was known at the end of the day, with money on the days of its booking."""

    as_of: str
    known_at: str
    test_deals: bool


class AgeBucket(Told):
    """What is open and so late: not_due, days_1_30, days_31_60, days_61_90, days_91_180, over_180; the disputed part of
    it is named."""

    name: str
    open: Money
    disputed: Money


class AgeingOfAll(Told):
    """Open invoices of all customers in one currency."""

    currency: str
    customers: int
    invoices: int
    open: Money
    overdue: Money
    disputed: Money
    buckets: list[AgeBucket]


class AgeingOfCustomer(Told):
    """Open invoices of one customer in one currency."""

    currency: str
    customer: str
    invoices: int
    open: Money
    overdue: Money
    disputed: Money
    buckets: list[AgeBucket]


class AgeingReport(AsOfDay):
    """What was open by how late it was; customers that owe most first, those beyond `limit` are in the totals alone."""

    totals: list[AgeingOfAll]
    customers: list[AgeingOfCustomer]


class PeriodReport(AsOfDay):
    """A period of `days` days that ends with the day, both its ends included."""

    first: str = Field(alias="from")
    days: int


class SalesOutstanding(Told):
    """Days sales outstanding in tenths of days; null when nothing was invoiced in the period.

    DSO = receivables / sales x days; best possible DSO = current receivables / sales x days; average days delinquent is
    their difference. `countback_tenths` counts how many days of the latest sales are owed, month by month.
    """

    currency: str
    sales: Money
    receivables: Money
    current: Money
    dso_tenths: int | None
    best_possible_tenths: int | None
    delinquent_tenths: int | None
    countback_tenths: int | None


class SalesOutstandingReport(PeriodReport):
    """Days sales outstanding per currency."""

    items: list[SalesOutstanding]


class Effectiveness(Told):
    """The collection effectiveness index in basis points: collected / collectable; null when nothing was collectable.

    collected = beginning receivables + sales - ending receivables, collectable = beginning receivables + sales - ending
    current receivables.
    """

    currency: str
    beginning: Money
    sales: Money
    ending: Money
    current: Money
    collected: Money
    collectable: Money
    effectiveness_bps: int | None


class EffectivenessReport(PeriodReport):
    """Collection effectiveness per currency."""

    items: list[Effectiveness]


class CashWeek(Told):
    """What is expected in an ISO week, and the part of it that was promised or agreed as an instalment."""

    week: str
    monday: str
    expected: Money
    promised: Money


class ExpectedCash(Told):
    """open = all weeks + later + uncertain (disputed) + legal."""

    currency: str
    open: Money
    weeks: list[CashWeek]
    later: Money
    uncertain: Money
    legal: Money


class ExpectedCashReport(AsOfDay):
    """What is expected when; `usual_days_late` holds for customers that never paid before."""

    usual_days_late: int
    items: list[ExpectedCash]


class CustomerLateness(Told):
    """Days from the due day to the last payment, of a customer's settled invoices."""

    customer: str
    invoices: int
    average_days: int
    median_days: int


class RungCount(Told):
    """How many invoices had reached a rung of the collection ladder."""

    rung: str
    invoices: int


class LatenessReport(AsOfDay):
    """How late customers pay, the latest first; null when nobody has paid yet."""

    invoices: int
    average_days: int | None
    median_days: int | None
    customers: list[CustomerLateness]
    rungs: list[RungCount]


class CurrencyTotal(Told):
    """All invoices of one currency: difference = invoiced - paid - credited - written off - open, 0 when it adds up."""

    currency: str
    invoiced: Money
    paid: Money
    credited: Money
    written_off: Money
    open: Money
    difference: Money


class MoneyVerdict(Told):
    """Whether ledger, deals and bank agree to the cent, and every place where they do not; `warnings` name bank
    statements that are missing."""

    sound: bool
    differences: list[Difference]
    warnings: list[str]
    currencies: list[CurrencyTotal]
