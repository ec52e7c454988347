"""Deals, customers and stock at two times, and who could act, on the wire."""

from api.wire.deals import Deal, Guard
from api.wire.shared import Money, Told


class TwoTimes(Told):
    """The instant that is asked about, and the one whose knowledge counts."""

    at: str
    known_at: str


class Amounts(Told):
    """Amounts of invoices. open = total - paid - credited - written off; disputed and overdue are parts of it, credit
    is what was paid or credited beyond. Interest and lump sum are counted until `at`; `uncharged` is what of both was
    claimed by no note yet."""

    total: Money
    paid: Money
    credited: Money
    written_off: Money
    open: Money
    disputed: Money
    overdue: Money
    credit: Money
    interest: Money
    lump_sum: Money
    uncharged: Money


class InvoiceThen(Amounts):
    """One invoice as it stood, as far as that was known."""

    number: str
    kind: str
    state: str
    issued_at: str
    due_at: str


class MoneyThen(Amounts):
    """All invoices of one currency."""

    currency: str
    invoices: int


class ExposureThen(Told):
    """What may be lost, each amount in one kind: accepted offers, confirmed and not invoiced, invoices that are not
    due, overdue, and disputed."""

    accepted: Money
    confirmed: Money
    not_due: Money
    overdue: Money
    disputed: Money
    total: Money


class LearntThen(Told):
    """An act that was recorded `at` an instant and takes effect earlier: by how much it lowers what is open; an invoice
    that it brings (`issues`) raises it."""

    sequence: int
    at: str
    effective_at: str
    action: str
    actor: str
    invoice: str
    issues: bool
    lowers: Money


class InvoiceChanged(Told):
    """An invoice as it was known before and after; before is null when nobody knew of it."""

    number: str
    before: InvoiceThen | None
    after: InvoiceThen


class Compared(Told):
    """What was learnt until another instant about the same past one."""

    known_at: str
    learnt: list[LearntThen]
    invoices: list[InvoiceChanged]


class DealThen(TwoTimes):
    """A deal at two times. `deal` is what the books said at `at` (null: it was not opened yet); `invoices`, their sums
    and exposure count money from its value day on, as far as it was known at `known_at`; `learnt` is what makes the
    difference."""

    deal_id: str
    deal: Deal | None
    money: list[MoneyThen]
    invoices: list[InvoiceThen]
    exposure: ExposureThen | None
    learnt: list[LearntThen]
    compared: Compared | None


class CustomerMoneyThen(MoneyThen):
    """What a customer owed in one currency, its exposure and the group's credit limit, as the credit book named it last
    or as somebody fixed it."""

    exposure: ExposureThen
    credit_limit: Money | None
    limit_since: str
    limit_fixed_by: str


class StateCount(Told):
    """How many deals were in a state."""

    state: str
    deals: int


class DealFigures(Told):
    """A deal of the customer; its state is empty when it was opened later and only its invoices are older."""

    id: str
    state: str
    stage: str
    customer: str
    owner: str
    currency: str
    open: Money | None
    overdue: Money | None
    exposure: Money | None


class CustomerThen(TwoTimes):
    """A customer, or its whole group, at two times; `complete` when you see all of its deals. Deals that owe most come
    first, `deals_in_all` of them."""

    customer: str
    group: str
    whole_group: bool
    complete: bool
    test_deals: bool
    currencies: list[CustomerMoneyThen]
    states: list[StateCount]
    deals: list[DealFigures]
    deals_in_all: int


class ShelfThen(Told):
    """Units that lay in a warehouse, and when the last of them moved before that."""

    warehouse: str
    on_hand: int
    moved_at: str


class StockThen(TwoTimes):
    """Units of an article; `reserved` for deals in all warehouses together, as deals do not know their shelves."""

    article: str
    on_hand: int
    reserved: int
    warehouses: list[ShelfThen]


class PersonThen(Told):
    """Somebody with the role, perhaps as a deputy. `code` is empty for whoever could act, else guard_failed or
    out_of_sight; `unchecked` are guards that need the payload or an answer from outside."""

    user: str
    on_behalf_of: str
    role: str
    code: str
    failing: list[Guard]
    unchecked: list[str]


class ActionThen(Told):
    """One action that the deal's state allowed."""

    action: str
    summary: str
    target: str
    roles: list[str]
    allowed: list[PersonThen]
    blocked: list[PersonThen]


class WhoCould(TwoTimes):
    """Who could do what: actions of the state of that time; `people` is how many users were active."""

    deal_id: str
    state: str
    version: int
    people: int
    actions: list[ActionThen]
