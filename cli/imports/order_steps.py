"""What a deal of an imported order needs next: the order, then the shortage desk by turns, then returns and money.

Pure: a step follows from the deal and its order, so an interrupted import just goes on, and who knows the file and the
stock can reckon every outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cli.imports.orders import GivenBack, SalesOrder
from cli.imports.steps import Act, Done, Forward, Way, next_step
from models.calendar import plus_working
from models.instants import DAY, between
from models.lifecycle.states import DealState as S
from models.parts.order import Order, OrderLine
from models.parts.shortage import Choice, Shortage

RESTOCK_DAYS = 5
"""Working days after which logistics promises a part of what is missing."""
LADDER_STEP = 5 * DAY
EVERY_LADDER = 25
_NO_REST = "the customer does without the rest"


class Turn(StrEnum):
    """How the shortage desk deals with a short line."""

    ANALOGUE = "analogue"
    RESTOCK = "restock"
    PARTIAL = "partial"
    CANCEL = "cancel"
    LADDER = "ladder"


_CYCLE = (Turn.ANALOGUE, Turn.RESTOCK, Turn.PARTIAL, Turn.CANCEL)


def turn_of(number: int) -> Turn:
    """The turn of the file's order line with this number, from 0: four in rotation, and every 25th is left alone."""
    return Turn.LADDER if number % EVERY_LADDER == EVERY_LADDER - 1 else _CYCLE[number % len(_CYCLE)]


@dataclass(frozen=True, slots=True)
class Receive:
    """Units for a line come into the warehouse."""

    line: int
    article: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Together:
    """Acts on different lines that don't disturb each other: nobody has to wait between them."""

    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """Goods come in, one lot per article, and the deal that waits for them is told."""

    lots: tuple[Receive, ...]


Answer = Act | Receive | None
"""What a line's turn asks for now; None when it waits."""
OrderStep = Act | Forward | Done | Together | Received


@dataclass(frozen=True, slots=True)
class OrderWay:
    """Everything that a step depends on. `restocked` are lines whose promised part was received."""

    way: Way
    order: SalesOrder
    returns: tuple[GivenBack, ...] = ()
    restocked: Collection[int] = ()

    @property
    def goods(self) -> Order:
        """The deal's order, which every deal in fulfilment has."""
        if self.way.deal.order is None:
            raise ValueError(f"deal {self.way.deal.id} has no order")
        return self.way.deal.order

    def turn(self, line: OrderLine) -> Turn:
        """A line's turn; what can't be done for it falls to the next: no analogue -> partial, nothing there -> cancel.
        A substitute that is short itself is cancelled."""
        turn = next((turn_of(item.turn) for item in self.order.items if item.number == line.line), Turn.CANCEL)
        if turn is Turn.ANALOGUE and not (line.analogue or line.proposed_article):
            turn = Turn.PARTIAL
        if turn is Turn.PARTIAL and not line.reserved and _lasting(line).choice != Choice.PARTIAL:
            return Turn.CANCEL
        return turn


def until_accepted(at: OrderWay) -> OrderStep:
    """The way to an accepted order, which waits to be entered in its turn."""
    deal = at.way.deal
    if deal.is_closed or deal.state in (S.FULFILLING, S.SUPPORTING) or (deal.order and deal.order.accepted_by):
        return Done(True)
    return next_step(at.way)


def until_entered(at: OrderWay) -> OrderStep:
    """The order is entered, and stock asked for it."""
    return next_step(at.way) if at.way.deal.state == S.ORDERING else Done(True)


def until_served(at: OrderWay) -> OrderStep:
    """Every line is shipped, replaced or cancelled."""
    deal = at.way.deal
    if deal.state != S.FULFILLING:
        return Done(deal.state in (S.SUPPORTING, S.COMPLETED, S.CANCELLED))
    lines = at.goods.lines
    if deal.offer and deal.offer.prepaid and deal.open_minor:
        return next_step(at.way)
    if any(line.on_the_way for line in lines):
        return at.way.by_clerk("deliver")
    if not any(line.open for line in lines):
        return at.way.by_owner("cancel", reason="nothing of it could be supplied")
    return _choices(at) or _answers(at)


def _choices(at: OrderWay) -> OrderStep | None:
    """What comes before the answers: what there is of a line is offered and sent."""
    offered = tuple(
        at.way.by_clerk("choose_option", line=line.line, option=str(Choice.PARTIAL))
        for line in at.goods.short_lines
        if at.turn(line) is Turn.PARTIAL and line.reserved and _lasting(line).choice != Choice.PARTIAL
    )
    if offered:
        return Together(offered)
    return at.way.by_clerk("ship") if any(line.reserved for line in at.goods.lines) else None


def _answers(at: OrderWay) -> OrderStep:
    """The turn of every short line, all at once where they don't touch the stock; else time passes."""
    found = [step for line in at.goods.short_lines if (step := _ANSWERS[at.turn(line)](at, line))]
    acts = [step for step in found if isinstance(step, Act)]
    if apart := tuple(act for act in acts if act.action != "accept_analogue"):
        return Together(apart)
    if acts:
        return acts[0]  # a substitute takes goods: one after the other, so that the first line comes first
    lots = {step.article: step for step in reversed(found) if isinstance(step, Receive)}
    if lots:
        return Received(tuple(lots.values()))
    restocked = [line for line in at.goods.short_lines if at.turn(line) is Turn.RESTOCK]
    ahead = [left for line in restocked if (left := _seconds_until_restock(at, line)) > 0]
    return Forward(min(ahead, default=LADDER_STEP))


def _seconds_until_restock(at: OrderWay, line: OrderLine) -> int:
    return between(at.way.now, f"{_lasting(line).promised_on}T08:00:00Z")


def _substitute(at: OrderWay, line: OrderLine) -> Answer:
    if not line.proposed_article:
        return at.way.by_clerk("propose_analogue", line=line.line, article=line.analogue)
    return at.way.by_clerk("accept_analogue", line=line.line, channel="phone", given_by="buyer")


def _restock(at: OrderWay, line: OrderLine) -> Answer:
    lasting = _lasting(line)
    if not lasting.answer_on:
        day = plus_working(at.way.now, RESTOCK_DAYS * DAY)[:10]
        part = (line.short + 1) // 2
        return at.way.by_clerk("answer_shortage", line=line.line, available_on=day, quantity=part)
    if not lasting.promised_on:
        on = lasting.answer_on
        return at.way.by_clerk("tell_customer", line=line.line, channel="email", available_on=on, agrees=True)
    if _seconds_until_restock(at, line) > 0:
        return None
    if line.line not in at.restocked:
        return Receive(line.line, line.article, lasting.answer_quantity)
    return _cancel_rest(at, line)


def _partial(at: OrderWay, line: OrderLine) -> Answer:
    return _cancel_rest(at, line)


def _cancel_rest(at: OrderWay, line: OrderLine) -> Act:
    return at.way.by_owner("cancel_line", line=line.line, reason=_NO_REST)


def _cancel(at: OrderWay, line: OrderLine) -> Answer:
    return at.way.by_clerk("choose_option", line=line.line, option=str(Choice.CANCEL))


def _nobody(at: OrderWay, line: OrderLine) -> Answer:
    return None  # the ladder ends it


_ANSWERS: dict[Turn, Callable[[OrderWay, OrderLine], Answer]] = {
    Turn.ANALOGUE: _substitute,
    Turn.RESTOCK: _restock,
    Turn.PARTIAL: _partial,
    Turn.CANCEL: _cancel,
    Turn.LADDER: _nobody,
}


def _lasting(line: OrderLine) -> Shortage:
    """The shortage of a short line."""
    if line.shortage is None:
        raise ValueError(f"line {line.line} is short, but not on the ladder")
    return line.shortage


def until_closed(at: OrderWay) -> OrderStep:
    """What came back is taken back, the rest is paid, the deal is closed."""
    deal = at.way.deal
    if deal.is_closed:
        return Done(True)
    if deal.state != S.SUPPORTING:
        return Done(False)
    for act in at.goods.open_discrepancies:
        return at.way.by_owner(
            "settle_discrepancy", act=act.number, measure="return", prevention="none: as it was told"
        )
    for given in at.returns:
        if payload := _back(at, given):
            return at.way.by_clerk("report_discrepancy", **payload)
    return next_step(at.way)


def _back(at: OrderWay, given: GivenBack) -> dict[str, Any]:
    """The next act for a return: what one shipment brought of it, and not more than is still with the customer."""
    acts = [act for act in at.goods.discrepancies if act.note == given.note]
    told = sum(part.quantity for act in acts for part in act.lines)
    for shipment in at.goods.shipments:
        if any(act.shipment == shipment.number for act in acts):
            continue
        gone = sum(
            q.quantity for act in at.goods.discrepancies if act.shipment == shipment.number
            for q in act.lines if q.line == given.number
        )  # fmt: skip
        part = shipment.line(given.number)
        units = min(given.quantity - told, part.delivered - gone) if part else 0
        if units > 0:
            lines = [{"line": given.number, "quantity": units}]
            return {
                "kind": "return",
                "cause": "customer",
                "lines": lines,
                "shipment": shipment.number,
                "note": given.note,
            }
    return {}
