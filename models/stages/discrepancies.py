"""Goods that are not as ordered: discrepancy acts, refusals and returns, and how each is settled (D23, D24)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import plus
from models.lifecycle.machines import DISCREPANCIES
from models.money import BPS, share
from models.parts.discrepancy import Discrepancy, DiscrepancyLine, Kind, Measure, Origin
from models.parts.order import OrderLine
from models.stages import order_lines
from models.stages.consequences import money_moved
from models.stages.fulfilment import ReservationAsked, money_back, order_of, release_quantities, with_lines
from models.stages.handling import handles
from models.stages.receivables import InvoiceCredited

GOODS_COME_BACK = (Kind.MIS_SORT, Kind.REFUSAL, Kind.RETURN)
"""Kinds whose goods are in order and go back on the shelf: the right ones that never left, or unwanted ones."""


@dataclass(frozen=True, slots=True)
class ReportDiscrepancy:
    """Delivered units that are not as ordered. `other_article` is what came instead, for a mis-sort."""

    kind: Kind
    cause: Origin
    lines: tuple[DiscrepancyLine, ...]
    shipment: str = ""
    other_article: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not self.lines or len({q.line for q in self.lines}) != len(self.lines):
            raise ValueError("lines must name each order line that is meant once")
        if any(not 0 < q.quantity <= 10**7 for q in self.lines):
            raise ValueError("quantity must be from 1 to 10000000")
        if (self.kind == Kind.MIS_SORT) != bool(self.other_article.strip()):
            raise ValueError("a mis-sort, and nothing else, names the other_article that came")


@dataclass(frozen=True, slots=True)
class SettleDiscrepancy:
    """How an act is settled. `prevention`: what is done against repetition; `invoice` is that of a credit (empty:
    the shipment's). `cause` corrects what the act says, when it is known by now."""

    act: int
    measure: Measure
    prevention: str
    invoice: str = ""
    cause: Origin = Origin.UNKNOWN


@event
@dataclass(frozen=True, slots=True)
class DiscrepancyOpened(Event):
    """Somebody has to decide about goods that are not as ordered."""

    tag = "discrepancy_opened"
    act: Discrepancy

    def apply(self, deal: Deal, at: str) -> Deal:
        order = order_of(deal)
        return replace(deal, order=replace(order, discrepancies=(*order.discrepancies, self.act)))


@event
@dataclass(frozen=True, slots=True)
class DiscrepancySettled(Event):
    """An act was decided, or tolerated."""

    tag = "discrepancy_settled"
    number: int
    action: str
    measure: str
    cause: str
    prevention: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def settle(act: Discrepancy) -> Discrepancy:
            return replace(
                act, state=DISCREPANCIES.fire(act.state, self.action), measure=self.measure, cause=self.cause,
                prevention=self.prevention, settled_at=at,
            )  # fmt: skip

        order = order_of(deal)
        acts = tuple(settle(act) if act.number == self.number else act for act in order.discrepancies)
        return replace(deal, order=replace(order, discrepancies=acts))


@event
@dataclass(frozen=True, slots=True)
class UnitsReopened(Event):
    """Delivered units are to be supplied again, at no further charge when they were `billed`; with `returned` the
    customer gives back what came."""

    tag = "units_reopened"
    lines: tuple[DiscrepancyLine, ...]
    billed: bool
    returned: bool

    def apply(self, deal: Deal, at: str) -> Deal:
        units = {q.line: q.quantity for q in self.lines}

        def reopen(line: OrderLine) -> OrderLine:
            return order_lines.reopen(line, units[line.line], billed=self.billed, returned=self.returned)

        return with_lines(deal, lambda line: reopen(line) if line.line in units else line)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return take_back(self.lines) if self.returned else ()


@event
@dataclass(frozen=True, slots=True)
class UnitsGivenBack(Event):
    """The customer gave delivered units back for good."""

    tag = "units_given_back"
    lines: tuple[DiscrepancyLine, ...]
    on_shelf: bool

    def apply(self, deal: Deal, at: str) -> Deal:
        units = {q.line: q.quantity for q in self.lines}

        def give_back(line: OrderLine) -> OrderLine:
            return order_lines.give_back(line, units[line.line], on_shelf=self.on_shelf)

        return with_lines(deal, lambda line: give_back(line) if line.line in units else line)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return take_back(self.lines) if self.on_shelf else ()


@event
@dataclass(frozen=True, slots=True)
class UnitsGivenUp(Event):
    """Units that came back undelivered are no longer wanted; `released` are those that were reserved again."""

    tag = "units_given_up"
    lines: tuple[DiscrepancyLine, ...]
    released: tuple[DiscrepancyLine, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        units = {q.line: q.quantity for q in self.lines}
        freed = {q.line: q.quantity for q in self.released}

        def give_up(line: OrderLine) -> OrderLine:
            fewer = replace(line, reserved=line.reserved - freed.get(line.line, 0))
            return order_lines.with_shortage_ended(order_lines.give_up(fewer, units[line.line]), at, "cancelled")

        return with_lines(deal, lambda line: give_up(line) if line.line in units else line)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        order = order_of(deal)
        waiting_no_more = tuple(q.line for q in self.lines if (line := order.line(q.line)) and line.short == 0)
        return release_quantities({q.line: q.quantity for q in self.released}, waiting_no_more)


def take_back(lines: tuple[DiscrepancyLine, ...]) -> tuple[Effect, ...]:
    """Ask the stock book to put units back on the shelf."""
    return (Effect("take_back_lines", {"lines": [{"line": q.line, "quantity": q.quantity} for q in lines]}),)


def new_act(
    deal: Deal, kind: Kind, cause: Origin, lines: tuple[DiscrepancyLine, ...], note: str, now: str, due_at: str
) -> Discrepancy:
    """The next act of an order."""
    number = len(order_of(deal).discrepancies) + 1
    return Discrepancy(number, kind.value, cause.value, lines, note, now, due_at)


def claimed(deal: Deal, line: int) -> int:
    """Delivered units of a line about which somebody has to decide already, or that were credited."""
    acts = (
        act
        for act in order_of(deal).discrepancies
        if not act.is_back and (act.state == "open" or act.measure == Measure.CREDIT_NOTE)
    )
    return sum(q.quantity for act in acts for q in act.lines if q.line == line)


def invoice_of(deal: Deal, act: Discrepancy, named: str = "") -> str:
    """The invoice on which the goods of an act stand: the named one, that of its shipment, or the only one there is."""
    if named:
        return named
    shipment = order_of(deal).shipment(act.shipment)
    if shipment:
        return shipment.invoice
    numbers = {each.invoice for each in order_of(deal).shipments if each.invoice}
    return numbers.pop() if len(numbers) == 1 else ""


def value_of(deal: Deal, act: Discrepancy) -> int:
    """What the goods of an act cost the customer, tax included, in minor units."""
    net = ((q.quantity * line.unit_price_minor, line) for q in act.lines if (line := order_of(deal).line(q.line)))
    return sum(amount + share(amount, line.tax_bps) for amount, line in net)


def is_tolerable(deal: Deal, act: Discrepancy, tolerance_bps: int) -> bool:
    """Whether an act is too small to be decided about: units in basis points of what arrived of its lines.

    Only what can happen in handling is tolerated; refused and returned goods are always somebody's decision.
    """
    if act.kind in (Kind.REFUSAL, Kind.RETURN):
        return False
    named = {q.line for q in act.lines}
    arrived = sum(line.delivered for line in order_of(deal).lines if line.line in named)
    return sum(q.quantity for q in act.lines) * BPS <= tolerance_bps * arrived


@handles("report_discrepancy", ReportDiscrepancy)
def report_discrepancy(ctx: Context) -> list[Event]:
    """An act, which somebody settles unless it is within the tolerance."""
    p: ReportDiscrepancy = ctx.payload
    due = plus(ctx.now, ctx.policy.discrepancy_deadline)
    act = new_act(ctx.deal, p.kind, p.cause, p.lines, p.note, ctx.now, due)
    act = replace(act, shipment=p.shipment, other_article=p.other_article)
    opened = DiscrepancyOpened(act)
    if not is_tolerable(ctx.deal, act, ctx.policy.discrepancy_tolerance_bps):
        return [opened]
    accepted = DiscrepancySettled(act.number, "tolerate", Measure.ACCEPTANCE.value, act.cause, "within the tolerance")
    return [opened, accepted]


@handles("settle_discrepancy", SettleDiscrepancy)
def settle_discrepancy(ctx: Context) -> list[Event]:
    """Redeliver, credit, take back or accept."""
    p: SettleDiscrepancy = ctx.payload
    act = order_of(ctx.deal).discrepancy(p.act)
    if act is None:
        return []
    cause = act.cause if p.cause == Origin.UNKNOWN else p.cause.value
    settled = DiscrepancySettled(act.number, "settle", p.measure.value, cause, p.prevention)
    if act.is_back:
        return [settled, *_settle_what_came_back(ctx, act, p.measure)]
    on_shelf = act.kind in GOODS_COME_BACK or (act.kind == Kind.SHORTAGE and cause == Origin.PACKING)
    if p.measure == Measure.REDELIVERY:
        billed = bool(ctx.deal.offer and not ctx.deal.offer.prepaid)
        reopened = UnitsReopened(act.lines, billed, on_shelf)
        return [settled, reopened, ReservationAsked(tuple(q.line for q in act.lines))]
    if p.measure == Measure.ACCEPTANCE:
        return [settled]
    given_back = [UnitsGivenBack(act.lines, on_shelf)] if p.measure == Measure.RETURN else []
    if ctx.policy.rules >= 3:
        return [settled, *given_back]
    credit = InvoiceCredited(invoice_of(ctx.deal, act, p.invoice), value_of(ctx.deal, act), f"{act.kind} {act.number}")
    return [settled, *given_back, *money_moved(ctx, [credit], "credited")]


def _settle_what_came_back(ctx: Context, act: Discrepancy, measure: str) -> list[Event]:
    if measure == Measure.REDELIVERY:
        return [ReservationAsked(tuple(q.line for q in act.lines))]
    given_up, released, missing = [], [], []
    for q in act.lines:
        line = order_of(ctx.deal).line(q.line)
        units = min(q.quantity, line.open) if line else 0  # some may be cancelled, or on the way again
        if line is None or units == 0:
            continue
        given_up.append(DiscrepancyLine(q.line, units))
        if units > line.short:
            released.append(DiscrepancyLine(q.line, units - line.short))
        if units < line.short:
            missing.append(q.line)
    events: list[Event] = []
    if given_up:
        found = [(line, q.quantity) for q in given_up if (line := order_of(ctx.deal).line(q.line))]
        events = [UnitsGivenUp(tuple(given_up), tuple(released)), *money_back(ctx, found, "given up")]
    return [*events, ReservationAsked(tuple(missing))] if missing else events


@handles("resume_fulfilment")
def resume_fulfilment(ctx: Context) -> list[Event]:
    """The move itself is all there is: units are open again."""
    return []
