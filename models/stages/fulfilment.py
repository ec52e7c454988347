"""Fulfilment: order acceptance and entry, reservation, shipment in parts, delivery, cancellation (D19..D22)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.messages.logistics import ReservedLine
from models.money import share
from models.parts.billing import InvoiceKind
from models.parts.order import Order, OrderLine
from models.stages import order_lines
from models.stages.approvals import void_pending
from models.stages.consequences import money_moved
from models.stages.everywhere import Reason
from models.stages.group_hold import ask_group_holds
from models.stages.handling import handles
from models.stages.headroom import lower_headroom
from models.stages.receivables import credit_all, credits_of


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A line as sales support typed it."""

    article: str
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class EnterOrder:
    """The order as entered; it is compared with the signed contract line by line (D19). Terms that are not named
    (-1 and empty) are those of the contract."""

    lines: tuple[EntryLine, ...]
    payment_days: int = -1
    delivery_terms: str = ""

    def __post_init__(self) -> None:
        if not -1 <= self.payment_days <= 365:
            raise ValueError("payment_days must be from 0 to 365, or -1 for those of the contract")


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
            settled = order_lines.settle_reservation(line, held, self.until, a.expected_on, a.analogue, at)
            return order_lines.with_shortage_ended(settled, at, "stock")

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
        def cancel(line: OrderLine) -> OrderLine:
            return order_lines.with_shortage_ended(order_lines.cancel(line), at, "cancelled")

        return with_lines(deal, lambda line: cancel(line) if line.line in self.lines else line)

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


def release_quantities(units: dict[int, int], leave_queue: tuple[int, ...] = ()) -> tuple[Effect, ...]:
    """Ask the stock book to take back some units per line, and to forget what lines in `leave_queue` waited for."""
    if not units and not leave_queue:
        return ()
    named = {str(line): quantity for line, quantity in units.items()}
    data = {"lines": list(units), "expired": False, "units": named, "leave": list(leave_queue)}
    return (Effect("release_lines", data),)


def agreed_terms(deal: Deal) -> tuple[int, str]:
    """Payment days and delivery terms as they stand: the contract's, unless an amendment changed them."""
    offer, order = deal.offer, order_of(deal)
    days = order.payment_days if order.payment_days >= 0 or offer is None else offer.payment_days
    return days, order.delivery_terms or (offer.delivery_terms if offer else "")


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


@handles("enter_order", EnterOrder, asks={"group_holds": ask_group_holds})
def enter_order(ctx: Context) -> list[Event]:
    """The entry equals the contract (a guard saw to that); stock is asked."""
    return [OrderEntered(ctx.actor.user)]


@handles("deliver_all")
def deliver_all(ctx: Context) -> list[Event]:
    """Every line is done; support begins."""
    return []


def gross(line: OrderLine, units: int) -> int:
    """What units of a line cost the customer, tax included, in minor units."""
    net = line.unit_price_minor * units
    return net + share(net, line.tax_bps)


def _after(ctx: Context, events: list[Event]) -> Deal:
    deal = ctx.deal
    for happened in events:
        deal = happened.apply(deal, ctx.now)
    return deal


def cancelling(ctx: Context, lines: tuple[int, ...], reason: str) -> list[Event]:
    """The cancellation of lines, with what follows for the money."""
    cancelled = LinesCancelled(lines, reason)
    if ctx.policy.rules < 2:
        return [cancelled]
    found = [line for line in order_of(ctx.deal).lines if line.line in lines]
    return [cancelled, *money_back(ctx, [(line, line.open) for line in found], reason)]


def money_back(ctx: Context, given_up: list[tuple[OrderLine, int]], reason: str) -> list[Event]:
    """What follows when open units will not come: the headroom that was held for them goes back to the group, and
    units that were invoiced with a delivery that had to be made good are credited. Under the third rules both follow
    from the goods (`models.stages.billing`)."""
    if ctx.policy.rules >= 3:
        return []
    billed = sum(gross(line, min(units, order_lines.prebilled_open(line))) for line, units in given_up)
    credits = credits_of(ctx.deal, "delivery", billed, reason)
    held = sum(gross(line, units) for line, units in given_up) - billed
    credited = ctx.deal.open_minor - _after(ctx, credits).open_minor
    after = max(0, ctx.deal.headroom_minor - held - credited)
    return [*money_moved(ctx, credits, "cancelled"), *lower_headroom(ctx.deal, after, "cancelled")]


@handles("close_short", Reason)
def close_short(ctx: Context) -> list[Event]:
    """Cancel the rest; support begins."""
    return cancelling(ctx, open_lines(ctx.deal), ctx.payload.reason)


@handles("cancel", Reason)
def cancel(ctx: Context) -> list[Event]:
    """Everything goes back: goods, headroom, open invoices. Those for goods follow from them under the third rules."""
    kept = ctx.deal
    if ctx.policy.rules >= 3:
        others = tuple(r for r in kept.receivables if r.kind not in set(InvoiceKind))
        kept = replace(kept, receivables=others)
    return [
        OrderCancelled(ctx.payload.reason),
        LinesCancelled(open_lines(ctx.deal), ctx.payload.reason),
        *credit_all(kept, "order cancelled"),
        *lower_headroom(ctx.deal, 0, "cancelled"),
        *void_pending(ctx.deal),
    ]
