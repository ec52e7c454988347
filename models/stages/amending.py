"""Amending a running order: asked for, computed first, then confirmed as a whole or declined (D26)."""

from collections.abc import Callable
from dataclasses import dataclass

from models.change import replace
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import day_start
from models.lifecycle.machines import AMENDMENTS
from models.parts.amendment import AmendedLine, Amendment, ChangeKind
from models.parts.order import OrderLine
from models.stages import order_lines
from models.stages.fulfilment import order_of, release_quantities, with_lines


@dataclass(frozen=True, slots=True)
class Change:
    """One wish. Which fields count depends on the kind: `add` article, quantity and price (-1: list price); `drop`
    line; `quantity` line and quantity; `price` line and price; `date` line (0: all) and text, an ISO date; `address`,
    `payment_days` and `delivery_terms` text."""

    kind: ChangeKind
    line: int = 0
    article: str = ""
    quantity: int = 0
    unit_price_minor: int = -1
    text: str = ""

    def __post_init__(self) -> None:
        if self.kind in (ChangeKind.ADD, ChangeKind.QUANTITY) and not 0 < self.quantity <= 10**7:
            raise ValueError("quantity must be from 1 to 10000000")
        if not -1 <= self.unit_price_minor <= 10**10:
            raise ValueError("unit_price_minor must be from 0 to 10000000000, or -1 for the list price")
        if self.kind == ChangeKind.ADD and not self.article.strip():
            raise ValueError("a new line names its article")
        if self.kind == ChangeKind.PRICE and self.unit_price_minor < 0:
            raise ValueError("another price names unit_price_minor")
        if self.kind == ChangeKind.DATE:
            day_start(self.text)
        if self.kind == ChangeKind.PAYMENT_DAYS and not (self.text.isdecimal() and len(self.text) < 4):
            raise ValueError("payment days are a whole number, as text")
        if self.kind in (ChangeKind.ADDRESS, ChangeKind.DELIVERY_TERMS) and not 0 < len(self.text.strip()) <= 300:
            raise ValueError("text says the new address or terms in 1 to 300 characters")


@dataclass(frozen=True, slots=True)
class RequestAmendment:
    """What is to change, and why."""

    changes: tuple[Change, ...]
    reason: str

    def __post_init__(self) -> None:
        if not self.changes or not self.reason.strip():
            raise ValueError("an amendment names its changes and a reason")
        touched = [(c.line, c.kind) for c in self.changes if c.line]
        if len(set(touched)) != len(touched):
            raise ValueError("a line is changed twice in the same way")
        dropped = {c.line for c in self.changes if c.kind == ChangeKind.DROP}
        if any(c.line in dropped and c.kind != ChangeKind.DROP for c in self.changes):
            raise ValueError("a line is dropped and changed")


@dataclass(frozen=True, slots=True)
class ConfirmAmendment:
    """The customer agrees: over which channel, and by which function."""

    channel: str
    given_by: str

    def __post_init__(self) -> None:
        if not self.channel.strip() or not self.given_by.strip():
            raise ValueError("channel and given_by say how and by which function the customer agreed")


@dataclass(frozen=True, slots=True)
class LineUnits:
    """Units of one order line."""

    line: int
    quantity: int


@event
@dataclass(frozen=True, slots=True)
class AmendmentRequested(Event):
    """Somebody wants the order changed; the effects are computed."""

    tag = "amendment_requested"
    amendment: Amendment

    def apply(self, deal: Deal, at: str) -> Deal:
        order = order_of(deal)
        return replace(deal, order=replace(order, amendments=(*order.amendments, self.amendment)))


@event
@dataclass(frozen=True, slots=True)
class AmendmentDecided(Event):
    """A request was confirmed or declined."""

    tag = "amendment_decided"
    number: int
    action: str
    by: str
    channel: str = ""
    given_by: str = ""

    def apply(self, deal: Deal, at: str) -> Deal:
        def decide(asked: Amendment) -> Amendment:
            return replace(
                asked, state=AMENDMENTS.fire(asked.state, self.action), decided_by=self.by, decided_at=at,
                channel=self.channel, given_by=self.given_by,
            )  # fmt: skip

        order = order_of(deal)
        decided = tuple(decide(asked) if asked.number == self.number else asked for asked in order.amendments)
        return replace(deal, order=replace(order, amendments=decided))


@event
@dataclass(frozen=True, slots=True)
class OrderAmended(Event):
    """The order stands as amended; units that are no longer wanted go back to the shelf."""

    tag = "order_amended"
    number: int
    changes: tuple[AmendedLine, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        for change in self.changes:
            deal = APPLY[ChangeKind(change.kind)](deal, change, at)
        order = order_of(deal)
        return replace(deal, order=replace(order, version=order.version + 1))


@event
@dataclass(frozen=True, slots=True)
class UnitsReleased(Event):
    """Reserved units go back to the shelf, as fewer are wanted; `leave_queue` are lines that wait for nothing more."""

    tag = "units_released"
    lines: tuple[LineUnits, ...]
    leave_queue: tuple[int, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return release_quantities({each.line: each.quantity for each in self.lines}, self.leave_queue)


@event
@dataclass(frozen=True, slots=True)
class PrepaymentAsked(Event):
    """What an amendment adds to a prepaid order is to be paid before it is shipped."""

    tag = "prepayment_asked"
    lines: tuple[LineUnits, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        lines = [{"line": each.line, "quantity": each.quantity} for each in self.lines]
        return (Effect("issue_invoice", {"kind": "prepayment", "lines": lines}),)


Apply = Callable[[Deal, AmendedLine, str], Deal]


def _one(change: AmendedLine, how: order_lines.LineChange) -> order_lines.LineChange:
    return lambda line: how(line) if line.line == change.line else line


def _add(deal: Deal, change: AmendedLine, at: str) -> Deal:
    order = order_of(deal)
    added = OrderLine(
        line=max(line.line for line in order.lines) + 1,
        article=change.article,
        description=change.description,
        ordered=change.quantity_after,
        unit_price_minor=change.price_after_minor,
        tax_bps=change.tax_bps,
        cost_minor=change.cost_minor,
    )
    return replace(deal, order=replace(order, lines=(*order.lines, added)))


def _drop(deal: Deal, change: AmendedLine, at: str) -> Deal:
    def drop(line: OrderLine) -> OrderLine:
        return order_lines.with_shortage_ended(order_lines.cancel(line), at, "cancelled")

    return with_lines(deal, _one(change, drop))


def _quantity(deal: Deal, change: AmendedLine, at: str) -> Deal:
    def amend(line: OrderLine) -> OrderLine:
        return order_lines.with_shortage_ended(
            order_lines.change_quantity(line, change.quantity_after), at, "fewer wanted"
        )

    return with_lines(deal, _one(change, amend))


def _price(deal: Deal, change: AmendedLine, at: str) -> Deal:
    return with_lines(deal, _one(change, lambda line: replace(line, unit_price_minor=change.price_after_minor)))


def _date(deal: Deal, change: AmendedLine, at: str) -> Deal:
    def wanted(line: OrderLine) -> OrderLine:
        return replace(line, wanted_on=change.text_after) if change.line in (0, line.line) else line

    return with_lines(deal, wanted)


def _term(name: str) -> Apply:
    def change_it(deal: Deal, change: AmendedLine, at: str) -> Deal:
        value = int(change.text_after) if name == "payment_days" else change.text_after
        return replace(deal, order=replace(order_of(deal), **{name: value}))

    return change_it


APPLY: dict[ChangeKind, Apply] = {
    ChangeKind.ADD: _add,
    ChangeKind.DROP: _drop,
    ChangeKind.QUANTITY: _quantity,
    ChangeKind.PRICE: _price,
    ChangeKind.DATE: _date,
    ChangeKind.ADDRESS: _term("deliver_to"),
    ChangeKind.PAYMENT_DAYS: _term("payment_days"),
    ChangeKind.DELIVERY_TERMS: _term("delivery_terms"),
}
