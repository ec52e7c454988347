"""Fulfilment: order acceptance and entry, reservation, shipment in parts, delivery, cancellation (D19..D22)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import plus
from models.messages.logistics import ReservedLine, StockLine
from models.parts.order import Order, OrderLine
from models.stages import order_lines
from models.stages.approvals import void_pending
from models.stages.everywhere import DueItem, EffectFinished, Reason
from models.stages.handling import handles
from models.stages.headroom import lower_headroom
from models.stages.receivables import credit_all


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A line as sales support typed it."""

    article: str
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class EnterOrder:
    """The order as entered; it is compared with the signed contract line by line (D19)."""

    lines: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class ReservationReport:
    """The stock book's answer, for the effect that asked."""

    effect: str
    lines: tuple[ReservedLine, ...]


@dataclass(frozen=True, slots=True)
class LineQuantity:
    """A quantity of one order line, in whole units."""

    line: int
    quantity: int

    def __post_init__(self) -> None:
        if not 0 < self.quantity <= 10**7:
            raise ValueError("quantity must be from 1 to 10000000")


@dataclass(frozen=True, slots=True)
class Quantities:
    """Quantities per line; none means everything that is possible now."""

    lines: tuple[LineQuantity, ...] = ()

    def __post_init__(self) -> None:
        if len({q.line for q in self.lines}) != len(self.lines):
            raise ValueError("a line is named twice")


@dataclass(frozen=True, slots=True)
class ShipmentReport:
    """What really left, for the effect that asked."""

    effect: str
    lines: tuple[StockLine, ...]


@event
@dataclass(frozen=True, slots=True)
class OrderAccepted(Event):
    """The account manager accepted the order."""

    tag = "order_accepted"
    by: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, order=replace(order_of(deal), accepted_by=self.by))


@event
@dataclass(frozen=True, slots=True)
class OrderEntered(Event):
    """Sales support entered the order; stock is asked for every line."""

    tag = "order_entered"
    by: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, order=replace(order_of(deal), entered_by=self.by))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return reserve_effect(tuple(line.line for line in order_of(deal).lines))


@event
@dataclass(frozen=True, slots=True)
class ReservationAsked(Event):
    """The stock book is asked again for lines."""

    tag = "reservation_asked"
    lines: tuple[int, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return reserve_effect(self.lines)


@event
@dataclass(frozen=True, slots=True)
class LinesReserved(Event):
    """The stock book answered; `until` is when the reservation runs out."""

    tag = "lines_reserved"
    until: str
    answers: tuple[ReservedLine, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        answers = {a.line: a for a in self.answers}

        def settle(line: OrderLine) -> OrderLine:
            a = answers.get(line.line)
            if a is None or line.open == 0:
                return line
            held = line.reserved + a.reserved
            return order_lines.settle_reservation(line, held, self.until, a.expected_on, a.analogue, at)

        return with_lines(deal, settle)


@event
@dataclass(frozen=True, slots=True)
class ReservationExpired(Event):
    """Reservations ran out: the goods go back on the shelf and are asked for again."""

    tag = "reservation_expired"
    lines: tuple[int, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_lines(deal, lambda line: order_lines.release(line) if line.line in self.lines else line)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (release_effect(deal, self.lines, expired=True), *reserve_effect(self.lines))


@event
@dataclass(frozen=True, slots=True)
class LinesShipped(Event):
    """Reserved units leave the warehouse."""

    tag = "lines_shipped"
    lines: tuple[LineQuantity, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        moved = {q.line: q.quantity for q in self.lines}
        return with_lines(deal, lambda line: order_lines.ship(line, moved[line.line]) if line.line in moved else line)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        lines = [{"line": q.line, "quantity": q.quantity} for q in self.lines]
        return (Effect("ship_lines", {"lines": lines}),)


@event
@dataclass(frozen=True, slots=True)
class LinesDelivered(Event):
    """Units arrived; what was not prepaid is invoiced."""

    tag = "lines_delivered"
    lines: tuple[LineQuantity, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        moved = {q.line: q.quantity for q in self.lines}
        return replace(
            with_lines(deal, lambda line: order_lines.deliver(line, moved[line.line]) if line.line in moved else line),
            delivered_at=at,
        )

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        if deal.offer and deal.offer.prepaid:
            return ()
        value = sum(q.quantity * line.unit_price_minor for q in self.lines if (line := order_of(deal).line(q.line)))
        if value <= 0:
            return ()
        lines = [{"line": q.line, "quantity": q.quantity} for q in self.lines]
        return (Effect("issue_invoice", {"kind": "delivery", "lines": lines}),)


@event
@dataclass(frozen=True, slots=True)
class LinesCancelled(Event):
    """What is open of these lines will not come; reservations go back."""

    tag = "lines_cancelled"
    lines: tuple[int, ...]
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_lines(deal, lambda line: order_lines.cancel(line) if line.line in self.lines else line)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (release_effect(deal, self.lines),) if self.lines else ()


@event
@dataclass(frozen=True, slots=True)
class OrderCancelled(Event):
    """The whole order is off; open invoices (prepayments) are credited."""

    tag = "order_cancelled"
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, loss_reason="cancelled")


def order_of(deal: Deal) -> Order:
    """The deal's order. Raises ValueError when there is none."""
    if deal.order is None:
        raise ValueError(f"deal {deal.id} has no order")
    return deal.order


def with_lines(deal: Deal, change: order_lines.LineChange) -> Deal:
    """The deal with every order line changed."""
    order = order_of(deal)
    return replace(deal, order=replace(order, lines=tuple(change(line) for line in order.lines)))


def reserve_effect(lines: tuple[int, ...]) -> tuple[Effect, ...]:
    """Ask the stock book for what is short on these lines."""
    return (Effect("reserve_lines", {"lines": list(lines)}),) if lines else ()


def release_effect(deal: Deal, lines: tuple[int, ...], *, expired: bool = False) -> Effect:
    """Ask the stock book to take back what these lines hold."""
    return Effect("release_lines", {"lines": list(lines), "expired": expired})


def shippable(deal: Deal, asked: Quantities) -> tuple[LineQuantity, ...]:
    """What is to be shipped: as asked, or everything that is reserved."""
    if asked.lines or deal.order is None:
        return asked.lines
    return tuple(LineQuantity(line.line, line.reserved) for line in deal.order.lines if line.reserved)


def deliverable(deal: Deal, asked: Quantities) -> tuple[LineQuantity, ...]:
    """What has arrived: as told, or everything that is on the way."""
    if asked.lines or deal.order is None:
        return asked.lines
    return tuple(LineQuantity(line.line, line.on_the_way) for line in deal.order.lines if line.on_the_way)


def open_lines(deal: Deal) -> tuple[int, ...]:
    """Numbers of the lines of which something is still to be shipped."""
    return tuple(line.line for line in order_of(deal).lines if line.open)


@handles("accept_order")
def accept_order(ctx: Context) -> list[Event]:
    """The order can be entered."""
    return [OrderAccepted(ctx.actor.user)]


@handles("enter_order", EnterOrder)
def enter_order(ctx: Context) -> list[Event]:
    """The entry equals the contract (a guard saw to that); stock is asked."""
    return [OrderEntered(ctx.actor.user)]


@handles("book_reservation", ReservationReport)
def book_reservation(ctx: Context) -> list[Event]:
    """Lines are reserved or short."""
    until = plus(ctx.now, ctx.policy.reservation_validity)
    return [EffectFinished(ctx.payload.effect), LinesReserved(until, ctx.payload.lines)]


@handles("expire_reservation", DueItem)
def expire_reservation(ctx: Context) -> list[Event]:
    """Give back what is held too long, and ask again."""
    held = tuple(
        line.line
        for line in order_of(ctx.deal).lines
        if line.reserved and line.reserved_until and line.reserved_until <= ctx.now
    )
    return [ReservationExpired(held)]


@handles("ship", Quantities)
def ship(ctx: Context) -> list[Event]:
    """Send off as asked, or everything that is reserved."""
    return [LinesShipped(shippable(ctx.deal, ctx.payload))]


@handles("book_shipment", ShipmentReport)
def book_shipment(ctx: Context) -> list[Event]:
    """The stock book took the units out."""
    return [EffectFinished(ctx.payload.effect)]


@handles("deliver", Quantities)
def deliver(ctx: Context) -> list[Event]:
    """Record the arrival as told, or of everything that is on the way."""
    return [LinesDelivered(deliverable(ctx.deal, ctx.payload))]


@handles("deliver_all")
def deliver_all(ctx: Context) -> list[Event]:
    """Every line is done; support begins."""
    return []


@handles("close_short", Reason)
def close_short(ctx: Context) -> list[Event]:
    """Cancel the rest; support begins."""
    return [LinesCancelled(open_lines(ctx.deal), ctx.payload.reason)]


@handles("cancel", Reason)
def cancel(ctx: Context) -> list[Event]:
    """Everything goes back: goods, headroom, open invoices."""
    return [
        OrderCancelled(ctx.payload.reason),
        LinesCancelled(open_lines(ctx.deal), ctx.payload.reason),
        *credit_all(ctx.deal, "order cancelled"),
        *lower_headroom(ctx.deal, 0, "cancelled"),
        *void_pending(ctx.deal),
    ]
