"""Shipments: goods leave in parts, and carriers tell how far they have come, twice, late or out of order (D22).

What a shipment's news come to does not depend on the order in which they arrive: `delivered` and `returned` are final,
and among the others the one that happened last counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import canonical, plus
from models.lifecycle.machines import SHIPMENTS
from models.lifecycle.states import ShipmentState
from models.messages.logistics import StockLine
from models.parts.discrepancy import DiscrepancyLine, Kind, Origin
from models.parts.order import OrderLine
from models.parts.shipment import Shipment, ShipmentLine
from models.stages import order_lines
from models.stages.discrepancies import DiscrepancyOpened, new_act
from models.stages.everywhere import EffectFinished
from models.stages.fulfilment import (
    LineQuantity,
    LinesDelivered,
    LinesShipped,
    Quantities,
    ReservationAsked,
    deliverable,
    order_of,
    shippable,
    with_lines,
)
from models.stages.group_hold import ask_group_holds
from models.stages.handling import handles


class News(StrEnum):
    """What carriers tell of a shipment; the order settles what happened at the same instant."""

    BOOKED = "booked"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    FAILED = "failed"
    DELIVERED = "delivered"
    RETURNED = "returned"


ShipmentChange = Callable[[Shipment], Shipment]

RANKS: dict[str, int] = {ShipmentState.PREPARED: 0, **{news: rank for rank, news in enumerate(News, start=1)}}
FINAL = (News.DELIVERED, News.RETURNED)


@dataclass(frozen=True, slots=True)
class ShipmentReport:
    """What really left, for the effect that asked."""

    effect: str
    lines: tuple[StockLine, ...]


@dataclass(frozen=True, slots=True)
class CarriageReport:
    """Who carries a shipment, or why nobody will, for the effect that asked."""

    effect: str
    carrier: str
    reference: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class CarrierMessage:
    """One message of a carrier about one of our shipments: what happened when, by the carrier's clock."""

    shipment: str
    message_id: str
    kind: News
    occurred_at: str
    note: str = ""

    def __post_init__(self) -> None:
        if canonical(self.occurred_at) != self.occurred_at:
            raise ValueError("occurred_at must look like 2026-12-31T08:00:00Z")


@event
@dataclass(frozen=True, slots=True)
class ShipmentSent(Event):
    """Reserved units leave the warehouse together, and a carrier is asked for."""

    tag = "shipment_sent"
    number: str
    lines: tuple[LineQuantity, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        moved = {q.line: q.quantity for q in self.lines}

        def ship(line: OrderLine) -> OrderLine:
            sent = order_lines.ship(line, moved[line.line])
            return order_lines.with_shortage_ended(sent, at, "stock")

        deal = with_lines(deal, lambda line: ship(line) if line.line in moved else line)
        order = order_of(deal)
        sent = Shipment(self.number, tuple(ShipmentLine(q.line, q.quantity) for q in self.lines), at)
        shipments = (*order.shipments, sent)
        return replace(deal, order=replace(order, shipments=shipments, last_shipment=order.last_shipment + 1))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        lines = [{"line": q.line, "quantity": q.quantity} for q in self.lines]
        return (
            Effect("ship_lines", {"lines": lines, "shipment": self.number}),
            Effect("book_carriage", {"shipment": self.number}),
        )


@event
@dataclass(frozen=True, slots=True)
class ShipmentCorrected(Event):
    """Less left than was asked for: the rest is open again. A shipment of nothing needs no carrier."""

    tag = "shipment_corrected"
    number: str
    missing: tuple[LineQuantity, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        missing = {q.line: q.quantity for q in self.missing}

        def fewer(part: ShipmentLine) -> ShipmentLine:
            return replace(part, quantity=part.quantity - missing.get(part.line, 0))

        def correct(shipment: Shipment) -> Shipment:
            left = (fewer(part) for part in shipment.lines)
            return replace(shipment, lines=tuple(part for part in left if part.quantity))

        deal = with_lines(
            deal, lambda line: order_lines.unship(line, missing[line.line]) if line.line in missing else line
        )
        deal = with_shipment(deal, self.number, correct)
        if (shipment := order_of(deal).shipment(self.number)) and shipment.lines:
            return deal
        pending = (e for e in deal.pending if not (e.kind == "book_carriage" and e.data["shipment"] == self.number))
        kept = tuple(each for each in order_of(deal).shipments if each.number != self.number)
        return replace(deal, pending=tuple(pending), order=replace(order_of(deal), shipments=kept))


@event
@dataclass(frozen=True, slots=True)
class CarriageBooked(Event):
    """A carrier has the shipment."""

    tag = "carriage_booked"
    number: str
    carrier: str
    reference: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def book(shipment: Shipment) -> Shipment:
            known = replace(shipment, carrier=self.carrier, reference=self.reference)
            if shipment.state != ShipmentState.PREPARED:
                return known  # the carrier's own messages were faster
            return replace(known, state=SHIPMENTS.fire(shipment.state, News.BOOKED))

        return with_shipment(deal, self.number, book)


@event
@dataclass(frozen=True, slots=True)
class CarriageRefused(Event):
    """The carrier will not take the shipment: logistics has to find another way."""

    tag = "carriage_refused"
    number: str
    why: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_shipment(deal, self.number, lambda each: replace(each, refused=self.why))


@event
@dataclass(frozen=True, slots=True)
class CarrierTold(Event):
    """A carrier's message. `is_news` is False for one that was overtaken by others or came twice."""

    tag = "carrier_told"
    number: str
    message_id: str
    kind: str
    occurred_at: str
    is_news: bool

    def apply(self, deal: Deal, at: str) -> Deal:
        def tell(shipment: Shipment) -> Shipment:
            if self.is_news:
                state = SHIPMENTS.fire(shipment.state, self.kind)
                return replace(shipment, state=state, told_at=self.occurred_at)
            if shipment.state == self.kind and self.kind in FINAL:  # twice, with different times: the first counts
                told = min(filter(None, (shipment.told_at, self.occurred_at)))
                return replace(shipment, told_at=told)
            return shipment

        return with_shipment(deal, self.number, tell)


@event
@dataclass(frozen=True, slots=True)
class ShipmentDelivered(Event):
    """Units of a shipment arrived; `billed` of them are invoiced, as the others are prepaid or were billed before."""

    tag = "shipment_delivered"
    number: str
    lines: tuple[LineQuantity, ...]
    billed: tuple[LineQuantity, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        moved = {q.line: q.quantity for q in self.lines}

        def arrive(line: OrderLine) -> OrderLine:
            units = moved[line.line]
            return replace(order_lines.deliver(line, units), prebilled=max(0, line.prebilled - units))

        def receive(part: ShipmentLine) -> ShipmentLine:
            return replace(part, delivered=part.delivered + moved.get(part.line, 0))

        def end(shipment: Shipment) -> Shipment:
            here = replace(shipment, lines=tuple(receive(part) for part in shipment.lines))
            if here.on_the_way:
                return here
            final = ShipmentState(here.state).is_terminal
            state = here.state if final else SHIPMENTS.fire(here.state, News.DELIVERED)
            return replace(here, state=state, delivered_at=at)

        deal = with_lines(deal, lambda line: arrive(line) if line.line in moved else line)
        return replace(with_shipment(deal, self.number, end), delivered_at=at)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        lines = [{"line": q.line, "quantity": q.quantity} for q in self.billed]
        value = sum(q.quantity * line.unit_price_minor for q in self.billed if (line := order_of(deal).line(q.line)))
        if value <= 0:
            return ()
        return (Effect("issue_invoice", {"kind": "delivery", "lines": lines, "shipment": self.number}),)


@event
@dataclass(frozen=True, slots=True)
class ShipmentReturned(Event):
    """The carrier brought units back undelivered: they go on the shelf, and are to be supplied again or given up."""

    tag = "shipment_returned"
    number: str
    lines: tuple[LineQuantity, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        moved = {q.line: q.quantity for q in self.lines}

        def receive(part: ShipmentLine) -> ShipmentLine:
            return replace(part, returned=part.returned + moved.get(part.line, 0))

        deal = with_lines(
            deal, lambda line: order_lines.bring_back(line, moved[line.line]) if line.line in moved else line
        )
        return with_shipment(
            deal, self.number, lambda each: replace(each, lines=tuple(receive(part) for part in each.lines))
        )

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        lines = [{"line": q.line, "quantity": q.quantity} for q in self.lines]
        return (Effect("take_back_lines", {"lines": lines}),) if lines else ()


def with_shipment(deal: Deal, number: str, change: ShipmentChange) -> Deal:
    """The deal with one shipment changed."""
    order = order_of(deal)
    changed = tuple(change(each) if each.number == number else each for each in order.shipments)
    return replace(deal, order=replace(order, shipments=changed))


def is_news(shipment: Shipment, kind: str, occurred_at: str) -> bool:
    """Whether a message changes what is known of a shipment."""
    if ShipmentState(shipment.state).is_terminal:
        return False
    return kind in FINAL or (occurred_at, RANKS[kind]) > (shipment.told_at, RANKS[shipment.state])


def arrived(deal: Deal, number: str, lines: tuple[LineQuantity, ...], rules: int) -> ShipmentDelivered:
    """The arrival of units of a shipment, with what of it is to be invoiced: prepaid deals were invoiced before, and
    under the third rules the invoice is an event of its own."""
    if rules >= 3 or (deal.offer and deal.offer.prepaid):
        return ShipmentDelivered(number, lines, ())
    billed = []
    for q in lines:
        line = order_of(deal).line(q.line)
        if line and (units := q.quantity - min(q.quantity, line.prebilled)):
            billed.append(LineQuantity(q.line, units))
    return ShipmentDelivered(number, lines, tuple(billed))


def first_in_first_out(deal: Deal, wanted: tuple[LineQuantity, ...]) -> list[tuple[str, tuple[LineQuantity, ...]]]:
    """Which shipments units that arrived belong to, when nobody says: those that left first."""
    missing = {q.line: q.quantity for q in wanted}
    found = []
    for shipment in order_of(deal).shipments:
        parts = []
        for part in shipment.lines:
            if units := min(missing.get(part.line, 0), part.on_the_way):
                missing[part.line] -= units
                parts.append(LineQuantity(part.line, units))
        if parts:
            found.append((shipment.number, tuple(parts)))
    return found


@handles("ship", Quantities, asks={"group_holds": ask_group_holds})
def ship(ctx: Context) -> list[Event]:
    """Send off as asked, or everything that is reserved."""
    lines = shippable(ctx.deal, ctx.payload)
    if ctx.policy.rules < 2:
        return [LinesShipped(lines)]
    return [ShipmentSent(f"{ctx.deal.id}-S{order_of(ctx.deal).last_shipment + 1}", lines)]


@handles("book_shipment", ShipmentReport)
def book_shipment(ctx: Context) -> list[Event]:
    """The stock book took the units out; what it did not have is asked for again."""
    done: list[Event] = [EffectFinished(ctx.payload.effect)]
    asked = ctx.deal.effect(ctx.payload.effect)
    number = str(asked.data.get("shipment", "")) if asked else ""
    shipment = order_of(ctx.deal).shipment(number)
    if shipment is None or asked is None:
        return done
    left = {line.line: line.quantity for line in ctx.payload.lines}
    missing = []
    for q in asked.data["lines"]:
        part = shipment.line(q["line"])
        if part and (units := min(q["quantity"] - left.get(q["line"], 0), part.on_the_way)) > 0:
            missing.append(LineQuantity(q["line"], units))
    if not missing:
        return done
    return [*done, ShipmentCorrected(number, tuple(missing)), ReservationAsked(tuple(q.line for q in missing))]


@handles("book_carriage", CarriageReport)
def book_carriage(ctx: Context) -> list[Event]:
    """A carrier has the shipment, or will not have it."""
    asked = ctx.deal.effect(ctx.payload.effect)
    number = str(asked.data["shipment"]) if asked else ""
    done = EffectFinished(ctx.payload.effect)
    if ctx.payload.refused:
        return [done, CarriageRefused(number, ctx.payload.refused)]
    return [done, CarriageBooked(number, ctx.payload.carrier, ctx.payload.reference)]


@handles("deliver", Quantities)
def deliver(ctx: Context) -> list[Event]:
    """Record the arrival as told, or of everything that is on the way."""
    lines = deliverable(ctx.deal, ctx.payload)
    if ctx.policy.rules < 2:
        return [LinesDelivered(lines)]
    events: list[Event] = []
    deal = ctx.deal
    for number, parts in first_in_first_out(deal, lines):
        events.append(arrived(deal, number, parts, ctx.policy.rules))
        deal = events[-1].apply(deal, ctx.now)
    return events


@handles("book_carrier_message", CarrierMessage)
def book_carrier_message(ctx: Context) -> list[Event]:
    """Take note of a carrier's message, and of what it means for the goods."""
    p: CarrierMessage = ctx.payload
    shipment = order_of(ctx.deal).shipment(p.shipment)
    if shipment is None:
        return []
    new = is_news(shipment, p.kind, p.occurred_at)
    told = CarrierTold(p.shipment, p.message_id, p.kind.value, p.occurred_at, new)
    rest = tuple(LineQuantity(part.line, part.on_the_way) for part in shipment.lines if part.on_the_way)
    if not new or not rest or p.kind not in FINAL:
        return [told]
    if p.kind == News.DELIVERED:
        return [told, arrived(ctx.deal, p.shipment, rest, ctx.policy.rules)]
    lines = tuple(DiscrepancyLine(q.line, q.quantity) for q in rest)
    due = plus(ctx.now, ctx.policy.discrepancy_deadline)
    act = new_act(ctx.deal, Kind.REFUSAL, Origin.UNKNOWN, lines, p.note, ctx.now, due)
    act = replace(act, shipment=p.shipment, is_back=True)
    return [told, ShipmentReturned(p.shipment, rest), DiscrepancyOpened(act)]
